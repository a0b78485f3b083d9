// Children on demand: the cap on processes, who gets the next place, and what a client is told when there is none to
// be had. At the cap whoever is idle makes room (access/room.ts); a newcomer waits for that, in bounds. Many servers hold
// a lock, a port or a profile: two are never there at once before clients have asked for two, so that the first of all
// waits until what was there before has gone.

import { fail, ok, type Result } from '../../shared/result.ts'
import { inTurn, lastOfMost, whoMakesRoom, type Newcomer } from '../access/room.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import type { Control } from './control.ts'
import type { Link } from './link.ts'
import type { LinkSource, Spares, Tenant } from './source.ts'

/** What the spawner asks of the control socket. */
export type Processes = Pick<
  Control,
  'isReady' | 'count' | 'ending' | 'tenants' | 'spawn' | 'whenFreed'
>

export interface SpawnerOptions {
  readonly control: Processes
  /** Absent where there are none. */
  readonly spares?: Spares | undefined
  readonly maxProcesses: number
  /** A tenant whose client listens gives its place up only after this long without a call. */
  readonly idleTimeoutMs: number
  readonly now: () => number
  /** Counts what became of each attempt. */
  readonly onSpawn: (outcome: 'started' | 'refused' | 'full' | 'spare') => void
}

/** A newcomer waits so long for somebody to go; what is being ended is waited for until it has gone. */
const PATIENCE_MS = 5000
/** Twice what the shim's graces take. */
const LEAVE_MS = 10_000
/** Newcomers that wait, whoever they are; beyond it the last of the principal who has most of them is refused. */
const MAX_WAITING = 256

const BUSY = { headers: { 'retry-after': '5' } }

interface Waiting extends Newcomer {
  readonly tenant: Tenant
  readonly sinceMs: number
  readonly settle: (outcome: Result<Link, Fault> | Promise<Result<Link, Fault>>) => void
}

export class Spawner implements LinkSource {
  private readonly options: SpawnerOptions
  /** In the order in which they came. */
  private waiting: readonly Waiting[] = []
  private isWatching = false
  /** Since when there has been nothing but processes that are being ended. */
  private leavingSinceMs: number | undefined
  /** The shim has had too many requests at once; it is asked again at the next sweep. */
  private isHeld = false

  constructor(options: SpawnerOptions) {
    this.options = options
  }

  open(tenant: Tenant): Promise<Result<Link, Fault>> {
    const { control, now } = this.options
    if (!control.isReady) return Promise.resolve(fail(notRunning()))
    if (tenant.isProbe && this.isUsed()) return Promise.resolve(fail(used()))
    const { principal } = tenant
    return new Promise((settle) => {
      this.add({ tenant, principal, sinceMs: now(), settle })
      this.serve(principal)
    })
  }

  /** Refuses those who have waited too long, and looks whether somebody has become idle meanwhile. */
  sweep(nowMs: number): void {
    this.isHeld = false
    if (this.waiting.length === 0) return
    this.serve()
    for (const one of this.withoutPlace()) {
      if (nowMs - one.sinceMs >= PATIENCE_MS) this.refuse(one)
    }
  }

  /** Whether what was there before is still to go; a process that cannot be ended is not waited for for ever. */
  private mustWait(): boolean {
    const { control, spares, now } = this.options
    // Who has asked for spares has asked for two.
    const count = control.count - (spares?.size ?? 0)
    if (count <= 0 || this.isUsed()) {
      this.leavingSinceMs = undefined
      return false
    }
    // Of a probe that lives the end is near: its waits are bounded.
    if (control.ending < count) return true
    this.leavingSinceMs ??= now()
    return now() - this.leavingSinceMs < LEAVE_MS
  }

  /** Whether a client has a process. */
  private isUsed(): boolean {
    for (const { isProbe, isSpare } of this.options.control.tenants) {
      if (!isProbe && !isSpare) return true
    }
    return false
  }

  private add(one: Waiting): void {
    this.waiting = [...this.waiting, one]
    const last = this.waiting.length > MAX_WAITING ? lastOfMost(this.waiting) : undefined
    if (last) this.refuse(last)
  }

  /**
   * Gives away what places there are, and sees to it that as many become free as are waited for. `newcomer`: the
   * principal for whom alone it is looked whether somebody makes room; for the others nothing has changed.
   */
  private serve(newcomer?: string): void {
    const { control, maxProcesses } = this.options
    for (const next of inTurn(this.waiting, control.tenants)) {
      if (this.isHeld || !control.isReady) break
      if (this.hasSpare(next)) continue
      if (control.count >= maxProcesses) break
      if (next.tenant.isProbe && this.isUsed()) {
        this.leave(next).settle(fail(used()))
        continue
      }
      if (this.mustWait()) break
      this.leave(next)
      next.settle(this.spawn(next))
    }
    this.makeRoom(newcomer)
    this.watch()
  }

  /** Gives a client one that is there already. */
  private hasSpare(one: Waiting): boolean {
    const { spares, onSpawn } = this.options
    const link = one.tenant.isProbe ? undefined : spares?.take(one.tenant)
    if (!link) return false
    onSpawn('spare')
    this.leave(one).settle(ok(link))
    return true
  }

  private makeRoom(newcomer: string | undefined): void {
    const { control, maxProcesses, idleTimeoutMs, now } = this.options
    const rules = { places: maxProcesses, idleTimeoutMs }
    const inVain = new Set<string>()
    for (const one of this.withoutPlace()) {
      if (inVain.has(one.principal) || one.principal !== (newcomer ?? one.principal)) continue
      const holder = whoMakesRoom(control.tenants, one, rules, now())
      if (holder) holder.giveUp()
      else inVain.add(one.principal)
    }
  }

  /** Those who wait for whom no place is free or being freed. */
  private withoutPlace(): readonly Waiting[] {
    const { control, maxProcesses } = this.options
    let places = control.ending + Math.max(maxProcesses - control.count, 0)
    for (const { isProbe } of control.tenants) if (isProbe) places++
    if (this.waiting.length <= places) return []
    return inTurn(this.waiting, control.tenants).slice(places)
  }

  /** Serves again once a process has gone; all are refused where none can be had any more. */
  private watch(): void {
    const { control } = this.options
    if (this.isWatching || this.waiting.length === 0) return
    this.isWatching = true
    void control.whenFreed().then(() => {
      this.isWatching = false
      if (control.isReady) this.serve()
      else for (const one of this.waiting) this.leave(one).settle(fail(notRunning()))
    })
  }

  private async spawn(one: Waiting): Promise<Result<Link, Fault>> {
    const { control, onSpawn, now } = this.options
    const child = await control.spawn(one.tenant)
    if (child.ok) {
      onSpawn('started')
      return ok(child.value)
    }
    const { isBusy, message, fault: own } = child.error
    if (isBusy && control.isReady && now() - one.sinceMs < PATIENCE_MS) {
      this.isHeld = true
      return new Promise((settle) => {
        this.add({ ...one, settle })
        this.watch()
      })
    }
    onSpawn('refused')
    if (own !== undefined) return fail(own)
    const told = `the server could not be started: ${message}`
    return fail(isBusy ? fault('no-capacity', told, BUSY) : fault('server-not-started', told))
  }

  private refuse(one: Waiting): void {
    const { maxProcesses, onSpawn } = this.options
    onSpawn('full')
    const told = `all ${maxProcesses} server processes are in use (outrigger.dev/max-processes, else by the server's memory limit); try again later`
    this.leave(one).settle(fail(fault('no-capacity', told, BUSY)))
  }

  private leave(one: Waiting): Waiting {
    this.waiting = this.waiting.filter((other) => other !== one)
    return one
  }
}

const notRunning = (): Fault =>
  fault('no-capacity', "the server's container is not running yet; try again", BUSY)

const used = (): Fault =>
  fault('no-capacity', 'clients have processes of the server: it is not probed beside them', BUSY)
