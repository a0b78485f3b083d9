// A caller who hears only what it may: lists without what a policy hides, and no request for input that it may not be
// asked for. Without rights it is the caller itself, and not a byte is looked at.

import type { Rights } from '../access/rights.ts'
import { isObject, stringAt } from '../../shared/json.ts'
import { fault } from '../mcp/faults.ts'
import { member, valueAt, type Response } from '../mcp/message.ts'
import type { Caller } from './call.ts'

/** The methods of what a modern server asks for in its answer (2026-07-28, multi round-trip requests). */
const askedIn = ({ text, result }: Response): readonly (string | undefined)[] => {
  const place = member(result?.object, 'inputRequests')
  const requests = place && valueAt(text, place)
  return isObject(requests)
    ? Object.values(requests).map((request) => stringAt(request, 'method'))
    : []
}

export const filtered = (caller: Caller, method: string, rights: Rights | undefined): Caller => {
  if (!rights) return caller
  const filter = rights.filterOf(method)
  return {
    notice: (text) => caller.notice(text),
    fault: (reason) => caller.fault(reason),
    answer: (text, response) => {
      const refused = askedIn(response).find((asked = '') => !rights.mayBeAsked(asked))
      if (refused !== undefined) {
        caller.fault(fault('denied', `the tool policy denies that the server asks for ${refused}`))
        return
      }
      const seen = filter?.(text)
      if (seen?.ok === false) caller.fault(fault('unusable-answer', seen.error))
      else caller.answer(seen?.value ?? text, response)
    },
  }
}
