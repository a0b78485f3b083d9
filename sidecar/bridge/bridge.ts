// Joins requests to the server: by era to the legacy or the modern side. It demands a permit, and
// knows what the server speaks. Drain and sweep pass through here.

import type { Permit } from '../access/permit.ts'
import type { Ask, Exchange } from '../front/exchange.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import { slice, type Message } from '../mcp/message.ts'
import { MODERN } from '../mcp/revision.ts'
import type { Legacy } from '../legacy/legacy.ts'
import type { Modern } from '../modern/modern.ts'
import type { Readiness } from './readiness.ts'

export interface BridgeOptions {
  readonly legacy: Legacy
  readonly modern: Modern
  readonly readiness: Readiness
}

export class Bridge {
  private readonly options: BridgeOptions
  /** After the lame-duck time of a drain: no new sessions. */
  private isClosing = false

  constructor(options: BridgeOptions) {
    this.options = options
  }

  get sessions(): number {
    return this.options.legacy.sessions.size
  }

  get inFlight(): number {
    return this.options.legacy.inFlight + this.options.modern.inFlight
  }

  /** Sends what is asked on its way; the fault is for what cannot go at all. */
  forward(
    permit: Permit,
    exchange: Exchange,
    ask: Ask,
  ): Fault | undefined | Promise<Fault | undefined> {
    const { legacy } = this.options
    switch (ask.kind) {
      case 'listen':
        return legacy.listen(permit, exchange)
      case 'delete':
        return legacy.delete(permit, exchange)
      case 'batch':
        return legacy.batch(permit, exchange, ask.messages)
      case 'message':
        return ask.era === 'legacy'
          ? this.legacyMessage(permit, exchange, ask.message)
          : this.modernMessage(permit, exchange, ask.message)
    }
  }

  sweep(nowMs: number): void {
    this.options.legacy.sweep(nowMs)
    this.options.modern.sweep(nowMs)
  }

  /** The end of a drain has come: what is idle ends, what is in flight may finish. */
  refuseNew(): void {
    this.isClosing = true
    this.options.modern.endSubscriptions()
    this.options.legacy.endIdle()
  }

  close(): void {
    this.options.legacy.close()
    this.options.modern.close()
  }

  private legacyMessage(permit: Permit, exchange: Exchange, message: Message): Fault | undefined {
    if (this.isClosing && message.kind === 'request' && message.method === 'initialize')
      return draining()
    this.options.legacy.post(permit, exchange, message)
    return undefined
  }

  private modernMessage(
    permit: Permit,
    exchange: Exchange,
    message: Message,
  ): Fault | undefined | Promise<Fault | undefined> {
    if (this.isClosing) return draining()
    const { known } = this.options.readiness
    if (!known) return this.whenKnown(permit, exchange, message)
    return known.isModern
      ? this.options.modern.post(permit, exchange, message)
      : notServed(exchange, message)
  }

  private async whenKnown(
    permit: Permit,
    exchange: Exchange,
    message: Message,
  ): Promise<Fault | undefined> {
    const { readiness, modern } = this.options
    const verdict = await readiness.eras()
    if (!verdict)
      return fault('server-not-started', `the server does not start: ${readiness.obstacle}`)
    return verdict.isModern ? modern.post(permit, exchange, message) : notServed(exchange, message)
  }
}

const draining = (): Fault =>
  fault('draining', 'the server is being stopped; try again', { headers: { 'retry-after': '1' } })

/** Not a modern error: it tells a client of both eras to fall back to initialize. */
const notServed = (exchange: Exchange, message: Message): undefined => {
  const id = message.kind === 'request' ? slice(message.text, message.id) : undefined
  exchange.reply.fault(
    fault('era-not-served', `this server does not speak ${MODERN}: send initialize`),
    id,
  )
  return undefined
}
