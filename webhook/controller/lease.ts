// Which replica of the controller acts: the one that holds a Lease. Who has not renewed it within its deadline stops at once,
// and nobody takes it before its holder must have stopped: both count on their own steady clocks alone. That a holder has
// renewed is told by the object's version, so that nobody's wall clock decides anything.

import type { Log } from '../../shared/log.ts'
import { messageOf } from '../../shared/message.ts'

export interface LeaseRecord {
  /** Empty: nobody's. */
  readonly holder: string
  /** For how long after a renewal nobody else may take it; as its holder says. */
  readonly seconds: number
  /** Of the object, which each write changes. */
  readonly version: string
}

export interface LeaseStore {
  read(signal: AbortSignal): Promise<LeaseRecord>
  /** Over that version alone; undefined where another has been written since. */
  write(
    lease: { readonly holder: string; readonly seconds: number; readonly isTaken: boolean },
    version: string,
    signal: AbortSignal,
  ): Promise<LeaseRecord | undefined>
}

export interface Terms {
  /** Nobody else takes it for so long. */
  readonly leaseMs: number
  /** Its holder stops so long after it began its last renewal that came through. */
  readonly deadlineMs: number
  readonly retryMs: number
}

/** Five seconds between a holder's end and another's beginning, for whatever it has sent last. */
export const TERMS: Terms = { leaseMs: 15_000, deadlineMs: 10_000, retryMs: 2000 }

/** Whoever writes a Lease must not keep it for ever. */
const LONGEST_MS = 60_000

/** What is known of it. */
export interface Seen {
  readonly record: LeaseRecord
  /** When this version was seen first. */
  readonly sinceMs: number
}

export type Step = 'renew' | 'take' | 'wait'

/** What to do with a Lease as it stands. */
export const stepOf = (seen: Seen, identity: string, nowMs: number): Step => {
  const { record, sinceMs } = seen
  if (record.holder === identity) return 'renew'
  if (record.holder === '') return 'take'
  const keptMs = Math.min(Math.max(record.seconds * 1000, 0), LONGEST_MS)
  return nowMs - sinceMs > keptMs ? 'take' : 'wait'
}

/** The same version is as old as when it was seen first. */
export const seenNow = (before: Seen | undefined, record: LeaseRecord, nowMs: number): Seen =>
  before?.record.version === record.version ? before : { record, sinceMs: nowMs }

export interface ElectorOptions {
  readonly store: LeaseStore
  /** Nobody else's, of this process alone. */
  readonly identity: string
  readonly terms: Terms
  /** Milliseconds of a steady clock. */
  readonly now: () => number
  /** Calls back once after a time, unless it is called off. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  /** Resolves, soon after the work was told to end, when nothing that it has written is under way any more. */
  readonly settled: () => Promise<void>
  readonly log: Log
}

/** A leadership: what ends it, and when the work that it allowed is over. */
interface Term {
  readonly abort: AbortController
  readonly work: Promise<void>
}

export class Elector {
  private readonly options: ElectorOptions
  private readonly abort = new AbortController()
  private seen: Seen | undefined
  private term: Term | undefined
  private callOff: (() => void) | undefined
  private running: Promise<void> | undefined

  constructor(options: ElectorOptions) {
    this.options = options
  }

  get isLeading(): boolean {
    return this.term !== undefined && !this.term.abort.signal.aborted
  }

  /** Contends until it is closed; `lead` works while its signal is not given, and ends soon after. */
  start(lead: (signal: AbortSignal) => Promise<void>): void {
    this.running ??= this.run(lead)
  }

  /** Stops working, then lets go of the Lease: whoever takes it begins at once. */
  async close(): Promise<void> {
    this.abort.abort()
    await this.running
    const hadIt = this.seen?.record.holder === this.options.identity
    await this.endTerm('closing')
    await this.options.settled()
    if (hadIt) await this.release()
  }

  private async run(lead: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { terms, sleep } = this.options
    const { signal } = this.abort
    while (!signal.aborted) {
      await this.look(lead).catch((error: unknown) => this.failed(error))
      // Work that was allowed is over before it can be allowed again.
      if (!this.isLeading) await this.endTerm('over')
      if (!signal.aborted) await sleep(terms.retryMs, signal)
    }
  }

  private async look(lead: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { store, identity, terms, now } = this.options
    const signal = AbortSignal.any([this.abort.signal, AbortSignal.timeout(terms.deadlineMs / 2)])
    const record = await store.read(signal)
    this.seen = seenNow(this.seen, record, now())
    const step = stepOf(this.seen, identity, now())
    // Somebody has taken it, whatever our clock says.
    if (step !== 'renew') await this.endTerm('somebody else has it')
    if (step === 'wait') return
    // It counts from before it is written: nobody can have seen it earlier.
    const beganMs = now()
    const lease = { holder: identity, seconds: terms.leaseMs / 1000, isTaken: step === 'take' }
    const written = await store.write(lease, record.version, signal)
    if (!written) return
    this.seen = seenNow(this.seen, written, now())
    this.renewed(beganMs, lead)
  }

  private renewed(beganMs: number, lead: (signal: AbortSignal) => Promise<void>): void {
    const { schedule, terms, now, log } = this.options
    if (this.abort.signal.aborted) return
    this.callOff?.()
    const leftMs = beganMs + terms.deadlineMs - now()
    if (leftMs <= 0) return
    this.callOff = schedule(() => this.end('it could not be renewed in time'), leftMs)
    if (this.term) return
    const abort = new AbortController()
    log.info('leading', { identity: this.options.identity })
    const work = lead(abort.signal).catch((error: unknown) => {
      log.error('the work of the leader failed', { error: messageOf(error) })
      abort.abort()
    })
    this.term = { abort, work }
  }

  private end(why: string): void {
    if (!this.isLeading) return
    this.options.log.warn('leading no more', { why })
    this.term?.abort.abort()
  }

  private async endTerm(why: string): Promise<void> {
    this.callOff?.()
    this.callOff = undefined
    this.end(why)
    await this.term?.work
    this.term = undefined
  }

  private async release(): Promise<void> {
    const { store, identity, terms } = this.options
    const signal = AbortSignal.timeout(terms.deadlineMs / 2)
    try {
      const { holder, version } = await store.read(signal)
      if (holder !== identity) return
      await store.write({ holder: '', seconds: 1, isTaken: false }, version, signal)
    } catch (error) {
      this.failed(error)
    }
  }

  private failed(error: unknown): void {
    if (this.abort.signal.aborted) return
    this.options.log.warn('the Lease cannot be kept', { error: messageOf(error) })
  }
}
