// A legacy process in the hands of one modern request, from the moment it is chosen for it to the request's end. What goes
// in is made legacy, what comes back modern; whoever gives the call up gives the process up.

import type { Call, Caller, CallOptions } from '../conversation/call.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import { slice, type Notification, type Request, type Response } from '../mcp/message.ts'
import type { ModernProcess } from '../modern/process.ts'
import { NO_HEADERS, type Link } from '../server/link.ts'
import type { Backend } from './backend.ts'
import { legacyRequest } from './legacy-request.ts'
import { isAsked, type LogLevel } from './log-level.ts'
import { modernAnswer } from './modern-answer.ts'

/** Where the process goes back to. */
export interface Lessor {
  /** The request is done; the process may serve the next. */
  released(backend: Backend): void
  /** The call was given up, and the server has been told. */
  spent(backend: Backend): void
}

/** How a request asks for log lines. */
export interface LogWish {
  readonly reader: Caller
  readonly level: LogLevel
}

export class Lease implements ModernProcess {
  readonly vetted: ModernProcess['vetted']
  readonly tools: ModernProcess['tools']
  logReader: Caller | undefined
  private readonly backend: Backend
  private readonly lessor: Lessor
  private readonly level: LogLevel | undefined
  /** The server has the call, and has not answered it. */
  private isOut = false

  constructor(backend: Backend, lessor: Lessor, wish: LogWish | undefined) {
    this.backend = backend
    this.lessor = lessor
    this.logReader = wish?.reader
    this.level = wish?.level
    const { vetted, tools } = backend
    this.vetted = vetted && {
      check: (request) => vetted.check(request),
      hears: (caller, method) => vetted.hears(caller, method),
    }
    this.tools = { headersOf: (name) => tools.headersOf(name, undefined, undefined) }
    backend.lessee = this
  }

  get channel(): this {
    return this
  }

  get link(): Link {
    return this.backend.channel.link
  }

  get hasAnswered(): boolean {
    return this.backend.channel.hasAnswered
  }

  join(): void {
    this.backend.used()
  }

  leave(): void {
    const { backend, lessor } = this
    if (backend.lessee !== this) return
    backend.isSpent ||= this.isOut
    backend.release()
    // Who gives up a call that is out tells the server so next.
    if (!this.isOut) lessor.released(backend)
  }

  call(request: Request, caller: Caller, options: CallOptions): Call | undefined {
    const { backend, level } = this
    if (backend.lessee !== this) {
      caller.fault(fault('request-cancelled', 'the request is over'))
      return undefined
    }
    if (level !== undefined) backend.setLevel(level)
    this.isOut = true
    const own = { ...options, headers: NO_HEADERS.headers }
    return backend.channel.call(legacyRequest(request), this.hearing(request, caller), own)
  }

  cancel(call: Call, reason: 'timeout' | 'disconnected'): void {
    this.backend.channel.cancel(call, reason)
    this.lessor.spent(this.backend)
  }

  log(message: Notification): void {
    const { logReader, level } = this
    if (level !== undefined && isAsked(message, level)) logReader?.notice(message.text, message)
  }

  /** The caller, who hears of all in the words of its own era. */
  private hearing({ method, text: asked, id }: Request, caller: Caller): Caller {
    const idText = slice(asked, id)
    return {
      notice: (text, message) => caller.notice(text, message),
      answer: (_text: string, raw: Response): void => {
        this.isOut = false
        const { serverInfo } = this.backend.discovery ?? {}
        const { text, response } = modernAnswer(method, raw, idText, serverInfo)
        caller.answer(text, response)
      },
      fault: (reason: Fault): void => {
        // The server may still work at it.
        if (reason.code === 'request-timeout') this.backend.isSpent = true
        this.isOut = false
        caller.fault(reason)
      },
    }
  }
}
