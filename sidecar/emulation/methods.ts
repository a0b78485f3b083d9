// What a legacy client may ask where the server is modern, and what of it never gets to the server. Pure.

import { member, stringAt, type Request } from '../mcp/message.ts'
import { SUBSCRIBE } from '../mcp/meta.ts'

/** An error of JSON-RPC. */
export interface Refused {
  readonly code: -32_601 | -32_602
  readonly message: string
}

export const notFound = (method: string): Refused => ({
  code: -32_601,
  message: `this server has no ${method}`,
})

/** They exist in the modern era alone, or were given up with the legacy one. */
const UNKNOWN = new Set(['server/discover', SUBSCRIBE])
const TASKS = /^tasks\//
/** What a client says in the next round of a modern request; no legacy one has such a round. */
const ROUNDS = ['inputResponses', 'requestState']

/** Why a request goes nowhere; undefined where it goes on. */
export const refusalOf = ({ method, params }: Request): Refused | undefined => {
  if (UNKNOWN.has(method) || TASKS.test(method)) return notFound(method)
  const round = ROUNDS.find((name) => member(params, name) !== undefined)
  return round === undefined
    ? undefined
    : { code: -32_602, message: `params.${round}: the revision of this session does not have it` }
}

/** The uri of a subscription; undefined where there is none. */
export const uriOf = ({ text, params }: Request): string | undefined =>
  stringAt(text, member(params, 'uri'))
