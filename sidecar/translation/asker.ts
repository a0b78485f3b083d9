// A modern request that a leased process works for: the first of a call, or one that brings what the client was asked.

import { errorMessage, errorType } from '../conversation/answer.ts'
import type { Caller, CallOptions } from '../conversation/call.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import { member, slice, type Notification, type Request, type Response } from '../mcp/message.ts'
import { rewrite } from '../mcp/rewrite.ts'
import type { Link } from '../server/link.ts'
import type { Hop } from '../telemetry/trace.ts'
import { readAgain } from './own-text.ts'
import { modernAnswer } from './modern-answer.ts'

export class Asker {
  private readonly method: string
  private readonly idText: string
  private readonly tokenText: string | undefined
  private readonly caller: Caller
  private readonly options: CallOptions
  private hop: Hop | undefined
  private isLater = false

  constructor({ method, text, id, meta }: Request, caller: Caller, options: CallOptions) {
    this.method = method
    this.idText = slice(text, id)
    const token = member(meta, 'progressToken')
    this.tokenText = token && slice(text, token)
    this.caller = caller
    this.options = options
  }

  /** The server has its call already, in the name of another request, which was on record and in traces as such. */
  takesUp({ process, port }: Link): void {
    const { trace, record } = this.options
    this.isLater = true
    this.hop = trace?.send(undefined, port)
    record?.sent(process)
  }

  /** `text`: with the token of the call's first request. */
  notice(text: string, message: Notification): boolean {
    const isProgress = message.method === 'notifications/progress'
    const place = isProgress ? member(message.params, 'progressToken') : undefined
    if (!place) return this.caller.notice(text, message)
    if (this.tokenText === undefined) return false
    const edit = { start: place.start, end: place.end, text: this.tokenText }
    return this.caller.notice(rewrite(message.text, [edit]), message)
  }

  answer(raw: Response, serverInfo: string | undefined): void {
    this.ended(errorType(raw), raw)
    const { text, response } = modernAnswer(this.method, raw, this.idText, serverInfo)
    this.caller.answer(text, response)
  }

  fault(reason: Fault): void {
    this.ended(reason.code.replaceAll('-', '_'), undefined)
    this.caller.fault(reason)
  }

  /** It is answered with what its client is asked for, a message with this id. */
  inputRequired(text: (idText: string) => string): void {
    const said = text(this.idText)
    const response = readAgain(said)
    // Each question has been read so; should they not be readable together, the call cannot go on.
    if (response?.kind !== 'response') {
      this.fault(fault('unusable-answer', 'what the server asks of its client cannot be put'))
      return
    }
    const { operation, record } = this.options
    operation?.end(undefined)
    record?.answered(undefined, response)
    this.hop?.end(undefined)
    this.caller.answer(said, response)
  }

  private ended(failure: string | undefined, response: Response | undefined): void {
    if (!this.isLater) return
    const { operation, record } = this.options
    operation?.end(failure)
    record?.answered(failure, response)
    this.hop?.end(failure, response && errorMessage(response))
  }
}
