// A caller who hears only what it may: lists without what a policy hides, and no request for input that it may not be
// asked for. Without rights it is the caller itself, and not a byte is looked at.

import type { Rights } from '../access/rights.ts'
import { isObject, stringAt as textAt } from '../../shared/json.ts'
import type { Span } from '../json/scan.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import { member, stringAt, valueAt, type Notification, type Response } from '../mcp/message.ts'
import { SUBSCRIBE, UPDATED } from '../mcp/meta.ts'
import type { Caller } from './call.ts'

/** Stands for a method that nobody can tell; no policy allows it by its name. */
const UNKNOWN = '?'

/** The methods of what a modern server asks for in its answer (2026-07-28, multi round-trip requests). */
const askedIn = (text: string, place: Span): readonly string[] => {
  const requests = valueAt(text, place)
  return isObject(requests)
    ? Object.values(requests).map((request) => textAt(request, 'method') ?? UNKNOWN)
    : [UNKNOWN]
}

/** Whether a message of a subscription's is one that its caller may still hear: a policy may have changed since. */
const isHeard = ({ text, method, params }: Notification, asked: string, rights: Rights): boolean =>
  asked !== SUBSCRIBE ||
  method !== UPDATED ||
  rights.mayRead(stringAt(text, member(params, 'uri')) ?? '')

class Filtered implements Caller {
  private readonly caller: Caller
  private readonly method: string
  private readonly rights: Rights

  constructor(caller: Caller, method: string, rights: Rights) {
    this.caller = caller
    this.method = method
    this.rights = rights
  }

  notice(text: string, message: Notification): boolean {
    return isHeard(message, this.method, this.rights) && this.caller.notice(text, message)
  }

  fault(reason: Fault): void {
    this.caller.fault(reason)
  }

  answer(text: string, response: Response): void {
    const { caller, method } = this
    const asks = member(response.result?.object, 'inputRequests')
    const refused = asks && this.refusedIn(askedIn(response.text, asks))
    if (refused) caller.fault(refused)
    // Nearly all that is called are tools, and what they answer says nothing of what there is.
    else if (method === 'tools/call') caller.answer(text, response)
    else this.show(text, response)
  }

  private refusedIn(asked: readonly string[]): Fault | undefined {
    const refused = asked.find((one) => !this.rights.mayBeAsked(one))
    return refused === undefined
      ? undefined
      : fault('denied', `the tool policy denies that the server asks for ${refused}`)
  }

  private show(text: string, response: Response): void {
    const { caller, method, rights } = this
    const seen = rights.filterOf(method)?.(text)
    if (seen?.ok === false) caller.fault(fault('unusable-answer', seen.error))
    else caller.answer(seen?.value ?? text, response)
  }
}

export const filtered = (caller: Caller, method: string, rights: Rights | undefined): Caller =>
  rights ? new Filtered(caller, method, rights) : caller
