// What a legacy client asks of whom it speaks to and not of the server's tools: who that is, whether it is there, how much it
// is to log, what it is to tell of. Each session is answered here; the server hears of it as the modern era has it.

import { fault, type Fault } from '../mcp/faults.ts'
import type { Request, Response } from '../mcp/message.ts'
import { LOG_LEVEL_KEY } from '../mcp/meta.ts'
import { ownRequest } from '../mcp/own-request.ts'
import type { Envelope } from '../server/link.ts'
import type { Capabilities } from '../translation/capabilities.ts'
import { levelIn, type LogLevel } from '../translation/log-level.ts'
import { clientIn, greetingIn, type Client, type Greeting } from './greeting.ts'
import type { Listening, Told } from './listening.ts'
import { notFound, uriOf, type Refused } from './methods.ts'
import type { OwnRequests } from './own-requests.ts'

/** Until the client says otherwise: as much as most servers log by themselves. */
const FIRST_LEVEL: LogLevel = 'info'

export interface ReceptionOptions {
  readonly own: OwnRequests
  readonly listening: Listening
  /** Answers a request with a result, JSON text. */
  readonly say: (id: number, result: string) => void
  readonly refuse: (id: number, refused: Refused) => void
  /** It cannot be answered. */
  readonly fail: (id: number, why: string) => void
}

interface Opening {
  /** Of the client's request, and of ours. */
  readonly id: number
  readonly ownId: number
}

export class Reception {
  private readonly options: ReceptionOptions
  private client: Client | undefined
  private greeting: Greeting | undefined
  /** The server has been asked who it is, and has not said. */
  opening: Opening | undefined
  private level = FIRST_LEVEL
  /** Whose subscription, or the end of one, has not been answered yet. */
  private readonly subscribing = new Map<number, Told>()

  constructor(options: ReceptionOptions) {
    this.options = options
  }

  /** What each request says in its `_meta`. */
  get envelope(): string {
    const level = this.greeting?.takesLogLevel ? `,"${LOG_LEVEL_KEY}":"${this.level}"` : ''
    return `${this.client?.envelope ?? ''}${level}`
  }

  get capabilities(): Capabilities {
    return this.client?.capabilities ?? {}
  }

  /** Answers a request, now or later; false of what is the server's business. */
  takes(id: number, request: Request): boolean {
    switch (request.method) {
      case 'ping':
        this.options.say(id, '{}')
        return true
      case 'logging/setLevel':
        this.setLevel(id, request)
        return true
      case 'resources/subscribe':
      case 'resources/unsubscribe':
        this.subscription(id, request)
        return true
      default:
        return false
    }
  }

  initialize(id: number, request: Request, headers: Envelope['headers']): Fault | undefined {
    const client = clientIn(request)
    if (!client.ok) return fault('invalid-params', client.error)
    const { own, fail } = this.options
    this.client = client.value
    const caller = {
      notice: (): boolean => true,
      answer: (_text: string, response: Response): void => this.greeted(id, response),
      fault: ({ message }: Fault): void => fail(id, message),
    }
    const asked = ownRequest('server/discover', {})
    this.opening = { id, ownId: own.ask(asked, caller, { timeoutMs: 0, headers }) }
    return undefined
  }

  /** Nobody waits for this request any more. */
  abandon(id: number): void {
    const told = this.subscribing.get(id)
    this.subscribing.delete(id)
    if (told) this.options.listening.forget(told)
    if (this.opening?.id !== id) return
    this.options.own.giveUp(this.opening.ownId)
    this.opening = undefined
  }

  close(): void {
    this.subscribing.clear()
  }

  private greeted(id: number, response: Response): void {
    const { say, fail, listening } = this.options
    this.opening = undefined
    const greeting = greetingIn(response, this.client?.version ?? '')
    if (!greeting.ok) {
      fail(id, `the server's answer to server/discover cannot be used: ${greeting.error}`)
      return
    }
    this.greeting = greeting.value
    say(id, greeting.value.result)
    listening.begin(greeting.value.kinds)
  }

  private setLevel(id: number, request: Request): void {
    const { say, refuse } = this.options
    const level = levelIn(request)
    if (this.greeting?.takesLogLevel !== true) refuse(id, notFound(request.method))
    else if (!level) refuse(id, { code: -32_602, message: 'params.level is no log level' })
    else {
      this.level = level
      say(id, '{}')
    }
  }

  private subscription(id: number, request: Request): void {
    const { say, refuse, listening } = this.options
    const uri = uriOf(request)
    if (this.greeting?.takesSubscriptions !== true) refuse(id, notFound(request.method))
    else if (uri === undefined) {
      refuse(id, { code: -32_602, message: 'params.uri is missing or no string' })
    } else {
      const told = (wrong: string | undefined): void => {
        this.subscribing.delete(id)
        if (wrong === undefined) say(id, '{}')
        else refuse(id, { code: -32_602, message: wrong })
      }
      this.subscribing.set(id, told)
      if (request.method === 'resources/subscribe') listening.subscribe(uri, told)
      else listening.unsubscribe(uri, told)
    }
  }
}
