// A graceful end: readiness fails first, for a lame-duck time everything is served as before, then nothing new
// begins, what is idle ends, what is in flight finishes, and the server's container may exit. A new
// server's container takes it all back.

import type { Log } from '../../shared/log.ts'
import { messageOf } from '../../shared/message.ts'
import type { Readiness } from '../routing/readiness.ts'
import type { Router } from '../routing/router.ts'
import type { McpServer } from '../server/server.ts'

/** Endpoints take this long to lose a pod that is not ready any more. */
const LAME_DUCK_MS = 5000
/** Kept back from the grace period for ending the children. */
const RESERVE_MS = 3000
/**
 * The same for records that are not written yet: nobody asks for them again. A collector has 4 s for an export, and the last
 * checkpoint comes behind it.
 */
export const RECORDS_MS = 4500
const STEP_MS = 50

export interface DrainOptions {
  readonly router: Pick<Router, 'inFlight' | 'refuseNew' | 'endIdle' | 'reopen' | 'close'>
  /** Requests of which it is not known yet who sends them. */
  readonly unknown: () => number
  readonly readiness: Pick<Readiness, 'isDraining'>
  readonly server: Pick<McpServer, 'exit'>
  /** Undefined where none are kept. */
  readonly records: object | undefined
  readonly log: Log
  readonly now: () => number
  readonly sleep: (delayMs: number) => Promise<unknown>
}

export class Drain {
  private readonly options: DrainOptions
  private running: Promise<void> | undefined
  /** Counts drains, so that one that was taken back goes no further. */
  private round = 0

  constructor(options: DrainOptions) {
    this.options = options
  }

  /** Starts draining without waiting for it. */
  begin(leftMs: number): void {
    this.run(leftMs).catch((error: unknown) =>
      this.options.log.error('the drain failed', { error: messageOf(error) }),
    )
  }

  /** Drains once, however often it is asked. */
  run(leftMs: number): Promise<void> {
    this.running ??= this.drain(leftMs)
    return this.running
  }

  /** A new server's container has come: serves it as if nothing had been. */
  takeBack(): void {
    if (!this.running) return
    this.running = undefined
    this.round++
    this.options.readiness.isDraining = false
    this.options.router.reopen()
  }

  private async drain(leftMs: number): Promise<void> {
    const { router, unknown, readiness, server, records, log, now, sleep } = this.options
    const { round } = this
    const reserveMs = RESERVE_MS + (records ? RECORDS_MS : 0)
    const endMs = now() + Math.max(leftMs - reserveMs, leftMs / 2)
    log.info('draining', { leftMs })
    readiness.isDraining = true
    await sleep(Math.min(LAME_DUCK_MS, leftMs / 3))
    if (round !== this.round) return
    router.refuseNew()
    while (router.inFlight + unknown() > 0 && now() < endMs) {
      await sleep(STEP_MS)
      if (round !== this.round) return
      router.endIdle()
    }
    const inFlight = router.inFlight + unknown()
    if (inFlight > 0) {
      log.warn('requests were still in flight at the end of the drain', { inFlight })
    }
    router.close()
    await server.exit(0)
  }
}
