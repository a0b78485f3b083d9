// Whether calls can be served, and if not why: the shim is there, one child has started and answered, nothing is
// draining. A broken server, also one that breaks later, is tried again with growing pauses, never in a hot loop. What the
// server speaks is kept until its container ends; a doubt is served as legacy, and settled when it matters.

import type { Log } from '../../shared/log.ts'
import type { Fault } from '../mcp/faults.ts'
import type { Result } from '../../shared/result.ts'
import { IN_DOUBT, type Eras } from './eras.ts'

const FIRST_PAUSE_MS = 500
const MAX_PAUSE_MS = 30_000

/** So many starts in a row have to fail before the server is taken for broken. */
const MAX_FAILED_STARTS = 3
/** So many new processes in a row have to die of their first call before new clients are better off elsewhere. */
const MAX_DEATHS = 3
const FIRST_REST_MS = 5000
const MAX_REST_MS = 60_000
/** A doubt that could not be settled by a process of its own stays for so long. */
const DOUBT_MS = 10_000

export interface ReadinessOptions {
  /** How long a request waits to learn what the server speaks. */
  readonly patienceMs: number
  readonly probe: () => Promise<Result<Eras, Fault>>
  /** Asks once more, where there is a doubt. */
  readonly confirm: () => Promise<Result<Eras, Fault>>
  readonly log: Log
}

export class Readiness {
  isDraining = false
  /** Why clients cannot reach the sidecar where they look for the server; undefined where they can. */
  unreachable: string | undefined
  private readonly options: ReadinessOptions
  private weak: string | undefined
  private found: Eras | undefined
  private reason = "the shim in the server's container has not connected yet"
  private failedStarts = 0
  /** Processes that have ended by themselves and answered nothing but `initialize`, since a call was answered. */
  private deaths = 0
  /** Why no new client should come for a while. */
  private resting: string | undefined
  private restMs = FIRST_REST_MS
  private restTimer: NodeJS.Timeout | undefined
  private waiting: ((eras: Eras | undefined) => void)[] = []
  /** Counts probes, so that one of an earlier container changes nothing. */
  private round = 0
  private tellFailed: (reason: Fault) => void = () => undefined
  /** Resolves with the reason when a start of the server has failed. */
  readonly whenFailed: Promise<Fault> = new Promise((resolve) => {
    this.tellFailed = resolve
  })
  private timer: NodeJS.Timeout | undefined
  private confirming: Promise<void> | undefined
  /** Runs while a doubt stays. */
  private doubtTimer: NodeJS.Timeout | undefined
  private tellReady: () => void = () => undefined
  /** Resolves when the server has answered for the first time. */
  readonly whenReady: Promise<void> = new Promise((resolve) => {
    this.tellReady = resolve
  })

  constructor(options: ReadinessOptions) {
    this.options = options
  }

  /** A sentence that says why not; undefined where calls can be served. */
  get obstacle(): string | undefined {
    if (this.isDraining) return 'the sidecar is draining'
    return this.found ? (this.unreachable ?? this.resting) : this.reason
  }

  /** What the server speaks, if that is known for sure. */
  get known(): Eras | undefined {
    return this.found?.isCertain === true ? this.found : undefined
  }

  /** Why the server was not served by last, whatever else stands in the way now. */
  get why(): string {
    return this.reason
  }

  /** What the server speaks, once that is known; undefined where its start has failed, or takes too long. */
  eras(): Promise<Eras | undefined> {
    if (this.found) return this.settled(this.found)
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.waiting = this.waiting.filter((other) => other !== settle)
        resolve(undefined)
      }, this.options.patienceMs)
      const settle = (eras: Eras | undefined): void => {
        clearTimeout(timer)
        resolve(eras)
      }
      this.waiting.push(settle)
    })
  }

  /** A client's server process has answered, perhaps before the probe's. */
  started(): void {
    this.failedStarts = 0
    if (!this.found) this.find(IN_DOUBT)
  }

  /** A server has answered a call: it does what it is there for. */
  worked(): void {
    if (this.failedStarts === 0 && this.deaths === 0 && this.resting === undefined) return
    this.failedStarts = 0
    this.restMs = FIRST_REST_MS
    this.wake()
  }

  /**
   * A process has ended by itself before it had answered a call. Where each new one does so, nobody new is sent here
   * for a while; who is here, or comes all the same, is served as ever.
   */
  died(reason: string): void {
    if (this.found === undefined || ++this.deaths < MAX_DEATHS || this.resting !== undefined) return
    const { restMs } = this
    this.resting = `every new server process ends before it has answered a call: ${reason}`
    this.options.log.error('not ready for a while: every new server process ends', {
      reason,
      restMs,
    })
    this.restMs = Math.min(restMs * 2, MAX_REST_MS)
    this.restTimer = setTimeout(() => this.wake(), restMs)
  }

  private wake(): void {
    clearTimeout(this.restTimer)
    if (this.resting !== undefined) this.options.log.info('ready again')
    this.resting = undefined
    this.deaths = 0
  }

  /** A server process could not be started; after several in a row the server is asked again whether it works. */
  startFailed(reason: string): void {
    if (this.found === undefined || ++this.failedStarts < MAX_FAILED_STARTS) return
    this.options.log.error('the server does not start any more', { reason })
    this.probe()
    this.reason = reason
  }

  /** What of the isolation does not hold although calls are served, because it is only advisory. */
  get weakness(): string | undefined {
    return this.weak
  }

  /** Links can be had (again): finds out what the server speaks. */
  begin(weakness: string | undefined): void {
    this.weak = weakness
    if (weakness !== undefined) {
      this.options.log.warn('isolation is only advisory, and does not hold', { weakness })
    }
    this.probe()
  }

  private probe(): void {
    this.stop('the server has not answered yet')
    void this.attempt(this.round, FIRST_PAUSE_MS)
  }

  /** The server's container is gone. */
  stop(reason: string): void {
    this.round++
    clearTimeout(this.timer)
    clearTimeout(this.restTimer)
    clearTimeout(this.doubtTimer)
    this.doubtTimer = undefined
    this.resting = undefined
    this.deaths = 0
    this.failedStarts = 0
    this.found = undefined
    this.reason = reason
  }

  close(): void {
    this.stop('the sidecar is ending')
    this.settle()
  }

  /** A doubt is settled once somebody needs to know; where it cannot be now, it is legacy for now. */
  private async settled(found: Eras): Promise<Eras | undefined> {
    if (found.isCertain || this.doubtTimer) return found
    this.confirming ??= this.confirm(this.round).finally(() => {
      this.confirming = undefined
    })
    await this.confirming
    return this.found
  }

  private async confirm(round: number): Promise<void> {
    const result = await this.options.confirm()
    if (round !== this.round) return
    if (result.ok) this.find(result.value)
    // Where there was no place for a process, asking again costs none.
    else if (result.error.code !== 'no-capacity') {
      this.doubtTimer = setTimeout(() => {
        this.doubtTimer = undefined
      }, DOUBT_MS)
    }
  }

  private find(found: Eras): void {
    const { isModern, isCertain } = found
    this.found = found
    this.tellReady()
    this.options.log.info('the server answers', { modern: isModern, certain: isCertain })
    this.settle()
  }

  private settle(): void {
    const { waiting } = this
    this.waiting = []
    for (const resolve of waiting) resolve(this.found)
  }

  private async attempt(round: number, pauseMs: number): Promise<void> {
    const result = await this.options.probe()
    if (round !== this.round) return
    if (result.ok) {
      this.find(result.value)
      return
    }
    // A client was faster, and has been answered.
    if (this.found) return
    const { code, message } = result.error
    this.reason = message
    // Clients' processes may be starting: then the server has not been asked, and they will hear whether it works.
    if (code !== 'no-capacity') this.tell(result.error)
    this.timer = setTimeout(
      () => void this.attempt(round, Math.min(pauseMs * 2, MAX_PAUSE_MS)),
      pauseMs,
    )
  }

  private tell(reason: Fault): void {
    this.tellFailed(reason)
    this.options.log.error(`the server does not start: ${reason.message}`)
    this.settle()
  }
}
