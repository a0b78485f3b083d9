// Server processes that are started before anybody asks, so that a session need not wait for one: each is nobody's until it is
// taken, has been asked nothing, and reaches nothing before that. One starts at a time, while the server works and a place is
// free; where they end by themselves, or do not start, the next is tried after a pause that grows. A bundle of its own.

import type { Log } from '../../shared/log.ts'
import type { Control } from './control.ts'
import type { Link } from './link.ts'
import type { Spares, Tenant } from './source.ts'

const FIRST_PAUSE_MS = 1000
const MAX_PAUSE_MS = 60_000

/** How long nothing is tried after so many failures in a row. */
export const pauseAfter = (failures: number): number =>
  failures === 0 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), MAX_PAUSE_MS)

export interface SpareOptions {
  /** How many there are to be. */
  readonly wanted: number
  /** Of all processes together. */
  readonly maxProcesses: number
  readonly control: Pick<Control, 'isReady' | 'count' | 'spawn' | 'hand'>
  /** Whether a process that is nobody's is kept from reaching anything. */
  readonly isHeldBack: () => boolean
  /** Whether the server is known to work. */
  readonly isServing: () => boolean
  readonly onSpawn: (outcome: 'started' | 'refused') => void
  readonly now: () => number
  readonly log: Log
}

/** They hold places, and make room for whoever comes: whoever comes is given one. */
const NOBODY: Tenant = { principal: '', idle: undefined, giveUp: () => undefined, isSpare: true }

export class SpareProcesses implements Spares {
  private readonly options: SpareOptions
  private readonly ready = new Set<Link>()
  private starting = 0
  /** In a row, since one was taken. */
  private failed = 0
  private why = ''
  private nextMs = -Infinity

  constructor(options: SpareOptions) {
    this.options = options
  }

  get size(): number {
    return this.ready.size + this.starting
  }

  get free(): number {
    return this.ready.size
  }

  get failures(): number {
    return this.failed
  }

  get weakness(): string | undefined {
    if (!this.options.isHeldBack()) {
      return 'there are no spare processes: nothing keeps one that is nobody’s from reaching others'
    }
    return this.failed === 0
      ? undefined
      : `spare processes do not last until somebody comes (${this.failed} in a row): ${this.why}`
  }

  take(tenant: Tenant): Link | undefined {
    for (const link of this.ready) {
      this.ready.delete(link)
      link.owner = undefined
      if (!this.options.control.hand(link.process, tenant)) continue
      this.failed = 0
      return link
    }
    return undefined
  }

  sweep(nowMs: number): void {
    const { wanted, maxProcesses, control, isHeldBack, isServing } = this.options
    const isWanted = this.size < wanted && this.starting === 0 && control.count < maxProcesses
    if (!isWanted || nowMs < this.nextMs || !control.isReady) return
    if (isServing() && isHeldBack()) void this.start()
  }

  private async start(): Promise<void> {
    const { control, onSpawn } = this.options
    this.starting++
    const spawned = await control.spawn(NOBODY)
    this.starting--
    onSpawn(spawned.ok ? 'started' : 'refused')
    if (!spawned.ok) {
      const { message } = spawned.error
      this.fail(message)
      return
    }
    const link = spawned.value
    this.ready.add(link)
    link.owner = {
      underway: [],
      // Nobody has asked it anything: what it says is nobody's.
      message: () => undefined,
      odd: () => undefined,
      failed: () => undefined,
      ended: ({ message }) => {
        if (this.ready.delete(link)) this.fail(message)
      },
    }
  }

  private fail(why: string): void {
    const { now, log, control } = this.options
    // With its shim, nobody's fault: another container begins anew.
    if (!control.isReady) return
    this.failed++
    this.why = why
    const pauseMs = pauseAfter(this.failed)
    this.nextMs = now() + pauseMs
    log.warn('a spare process has ended before anybody had it', { why, pauseMs })
  }
}
