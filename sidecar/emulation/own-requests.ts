// What we ask a modern server for ourselves, in a legacy client's stead: what it is, what its tools mirror in headers, and
// what changes. Each is told apart by a number of ours.

import type { CallOptions, Caller } from '../conversation/call.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import type { Notification, Request, Response } from '../mcp/message.ts'
import type { Envelope } from '../server/link.ts'

/** Of what was given up: what the server still says to it is nobody's. */
const MAX_GIVEN_UP = 64

interface Open {
  readonly caller: Caller
  readonly untilMs: number
}

export interface OwnRequestsOptions {
  readonly nextId: () => number
  readonly now: () => number
  /** As the modern era has it. */
  readonly send: (request: Request, id: number, headers: Envelope['headers']) => Fault | undefined
  readonly abandon: (id: number) => void
}

const none = (): Readonly<Record<string, string>> => ({})

export class OwnRequests {
  private readonly options: OwnRequestsOptions
  private readonly open = new Map<number, Open>()
  private readonly givenUp = new Set<number>()
  hasAnswered = false

  constructor(options: OwnRequestsOptions) {
    this.options = options
  }

  /** Asks; what it is answered, or why it is not, its caller hears. */
  call(
    request: Request,
    caller: Caller,
    options: Pick<CallOptions, 'timeoutMs' | 'headers'>,
  ): undefined {
    this.ask(request, caller, options)
    return undefined
  }

  /** The same, and by which number the server has it. */
  ask(
    request: Request,
    caller: Caller,
    { timeoutMs, headers = none }: Pick<CallOptions, 'timeoutMs' | 'headers'>,
  ): number {
    const { nextId, now, send } = this.options
    const id = nextId()
    this.open.set(id, { caller, untilMs: timeoutMs === 0 ? Infinity : now() + timeoutMs })
    const unsent = send(request, id, headers)
    // Whoever asks does not know the number yet.
    if (unsent) queueMicrotask(() => this.failed(id, unsent))
    return id
  }

  has(id: number): boolean {
    return this.open.has(id) || this.givenUp.has(id)
  }

  answered(id: number, response: Response): void {
    this.givenUp.delete(id)
    const found = this.take(id)
    if (!found) return
    this.hasAnswered = true
    this.options.abandon(id)
    found.caller.answer(response.text, response)
  }

  told(id: number, message: Notification): void {
    this.open.get(id)?.caller.notice(message.text, message)
  }

  failed(id: number, reason: Fault): void {
    this.take(id)?.caller.fault(reason)
  }

  /** Nobody waits for it any more. */
  giveUp(id: number): void {
    if (!this.take(id)) return
    this.givenUp.add(id)
    for (const oldest of this.givenUp) {
      if (this.givenUp.size <= MAX_GIVEN_UP) break
      this.givenUp.delete(oldest)
    }
    this.options.abandon(id)
  }

  sweep(nowMs: number): void {
    for (const [id, { caller, untilMs }] of this.open) {
      if (untilMs > nowMs) continue
      this.giveUp(id)
      caller.fault(fault('request-timeout', 'the server did not answer what it was asked first'))
    }
  }

  /** The server has gone, and whoever waits for us hears of it from somebody else. */
  close(): void {
    this.open.clear()
  }

  private take(id: number): Open | undefined {
    const found = this.open.get(id)
    this.open.delete(id)
    return found
  }
}
