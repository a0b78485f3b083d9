// Joins requests to the server: by era to the legacy or the modern side. It demands a permit, and
// knows what the server speaks. Drain and sweep pass through here.

import type { Permit } from '../access/permit.ts'
import type { Budget } from '../bytes/budget.ts'
import { isListening, type Ask, type Asked, type Claiming } from '../conversation/ask.ts'
import { keepPlace } from '../conversation/cost.ts'
import { header, type Exchange } from '../http/exchange.ts'
import { readEnvelope } from '../mcp/era.ts'
import { fault, tooManyWait, type Fault } from '../mcp/faults.ts'
import { MODERN } from '../mcp/revision.ts'
import type { Legacy } from '../legacy/legacy.ts'
import type { Modern } from '../modern/modern.ts'
import type { Eras } from './eras.ts'
import type { Readiness } from './readiness.ts'

export interface RouterOptions {
  /** For what waits. */
  readonly budget: Budget
  readonly legacy: Legacy
  readonly modern: Modern
  /** Serves modern clients where the server is legacy; undefined: nobody does. */
  readonly loadTranslation?: (() => Promise<Modern>) | undefined
  readonly readiness: Pick<Readiness, 'known' | 'eras' | 'why'>
  /** How long a call that is in flight may go on when its caller's right ends. */
  readonly requestTimeoutMs: number
}

export class Router {
  private readonly options: RouterOptions
  /** After the lame-duck time of a drain: nothing new begins, also in a session that has a call in flight. */
  private isClosing = false
  /** What serves the modern era; with the translation from the first that needs it on. */
  private readonly moderns: Modern[]
  private translation: Modern | Promise<Modern> | undefined

  constructor(options: RouterOptions) {
    this.options = options
    this.moderns = [options.modern]
  }

  /** Whether a session with this id is here, whosever it is. */
  hasSession(id: string): boolean {
    return this.options.legacy.sessions.has(id)
  }

  get sessions(): number {
    return this.options.legacy.sessions.size
  }

  get inFlight(): number {
    return this.moderns.reduce((sum, { inFlight }) => sum + inFlight, this.options.legacy.inFlight)
  }

  /** Whether nobody uses the server: no session, no request. */
  get isUnused(): boolean {
    return this.sessions === 0 && this.inFlight === 0
  }

  /** Sends what is asked on its way; the fault is for what cannot go at all. */
  forward(
    permit: Permit,
    exchange: Exchange,
    ask: Ask,
  ): Fault | undefined | Promise<Fault | undefined> {
    const { legacy, requestTimeoutMs } = this.options
    exchange.reply.untilMs = permit.untilMs + (isListening(ask) ? 0 : requestTimeoutMs)
    if (ask.kind === 'listen') return legacy.listen(permit, exchange)
    if (ask.kind === 'delete') return legacy.delete(permit, exchange)
    if (ask.kind === 'batch') return this.batch(permit, exchange, ask.items)
    const { era } = ask.claim
    const isLegacy =
      era === 'legacy' || (era === 'unclaimed' && legacy.hasNegotiated(permit, exchange))
    return isLegacy
      ? this.legacyMessage(permit, exchange, ask)
      : this.modernMessage(permit, exchange, ask)
  }

  sweep(nowMs: number): void {
    this.options.legacy.sweep(nowMs)
    for (const one of this.moderns) one.sweep(nowMs)
  }

  /** The tool policy has changed: whoever is denied everything from now on is so at once. */
  endBlocked(): void {
    this.options.legacy.endBlocked()
    for (const one of this.moderns) one.endBlocked()
  }

  /** The end of a drain has come: what is idle ends, what is in flight may finish. */
  refuseNew(): void {
    this.isClosing = true
    for (const one of this.moderns) one.endSubscriptions()
    this.endIdle()
  }

  /** Ends the sessions that have nothing in flight (any more). */
  endIdle(): void {
    this.options.legacy.endIdle()
  }

  /** A new server's container is there after all. */
  reopen(): void {
    this.isClosing = false
  }

  close(): void {
    this.options.legacy.close()
    for (const one of this.moderns) one.close()
  }

  private batch(permit: Permit, exchange: Exchange, items: readonly Asked[]): Fault | undefined {
    const isNew = items.some(({ message }) => message.kind === 'request')
    return this.isClosing && isNew ? draining() : this.options.legacy.batch(permit, exchange, items)
  }

  private legacyMessage(
    permit: Permit,
    exchange: Exchange,
    asked: Asked,
  ): Fault | undefined | Promise<undefined> {
    // What belongs to a call in flight goes on: its cancellation, and what its client was asked.
    if (this.isClosing && asked.message.kind === 'request') return draining()
    return this.options.legacy.post(permit, exchange, asked)
  }

  private modernMessage(
    permit: Permit,
    exchange: Exchange,
    asked: Claiming,
  ): Fault | undefined | Promise<Fault | undefined> {
    if (this.refuses(asked)) return draining()
    const { known } = this.options.readiness
    if (!known) return this.whenKnown(permit, exchange, asked)
    return this.whereServed(known, permit, exchange, asked)
  }

  /** Whether it comes too late: what belongs to a call that waits for its client goes on. */
  private refuses({ message }: Asked): boolean {
    return this.isClosing && !this.moderns.some((one) => one.isLaterRound(message))
  }

  private async whenKnown(
    permit: Permit,
    exchange: Exchange,
    asked: Claiming,
  ): Promise<Fault | undefined> {
    const { readiness, budget } = this.options
    const lease = budget.lease('calls')
    const { message } = asked
    if (message.kind === 'request' && !keepPlace(lease, message)) return tooManyWait(budget.bytes)
    const eras = await readiness.eras()
    lease.release()
    if (!eras) {
      return fault('server-not-started', `the server does not start: ${readiness.why}`)
    }
    return this.refuses(asked) ? draining() : this.whereServed(eras, permit, exchange, asked)
  }

  private whereServed(
    eras: Eras,
    permit: Permit,
    exchange: Exchange,
    asked: Claiming,
  ): Fault | undefined | Promise<Fault | undefined> {
    const { modern, loadTranslation } = this.options
    const { isModern } = eras
    if (!isModern && !loadTranslation) {
      // Not a modern error: it tells a client of both eras to fall back to initialize, whatever else is wrong.
      const what = `this server does not speak ${MODERN}: send initialize, or ask whoever runs it for translate-eras`
      return fault('era-not-served', what)
    }
    const { message, claim } = asked
    const stated = readEnvelope(message, claim, (name) => header(exchange.request, name))
    if (!stated.ok) return stated.error
    const requested = stated.value.version
    const supported = isModern ? eras.versions : TRANSLATED
    if (requested !== undefined && !supported.includes(requested)) {
      return fault('version-not-served', 'the server does not speak this protocol version', {
        data: { supported, requested },
      })
    }
    const serving = isModern || !loadTranslation ? modern : this.translated(loadTranslation)
    if (!(serving instanceof Promise)) return serving.post(permit, exchange, asked, stated.value)
    // It may have been closed before that was there.
    return serving.then((one) =>
      this.refuses(asked) ? draining() : one.post(permit, exchange, asked, stated.value),
    )
  }

  /** Loaded once, unless that fails: then for the next who needs it. A promise only until it is there. */
  private translated(load: () => Promise<Modern>): Modern | Promise<Modern> {
    this.translation ??= load().then(
      (one) => {
        this.moderns.push(one)
        this.translation = one
        return one
      },
      (error: unknown) => {
        this.translation = undefined
        throw error
      },
    )
    return this.translation
  }
}

/** The revisions that are translated. */
const TRANSLATED: readonly string[] = [MODERN]

const draining = (): Fault =>
  fault('draining', 'the server is being stopped; try again', { headers: { 'retry-after': '1' } })
