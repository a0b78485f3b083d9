// One HTTP request and its reply.

import type { IncomingMessage } from 'node:http'
import type { Reply } from './reply.ts'

export interface Exchange {
  readonly request: IncomingMessage
  readonly reply: Reply
  /** Monotonic milliseconds. */
  readonly arrivedMs: number
  /** Its client's address where another replica has taken it; absent: that of the connection. */
  readonly from?: string | undefined
}

/** So many headers are too many: they are all read before anybody is known, and a short one costs many times its bytes. */
export const MAX_HEADERS = 256

/** A header's value; of those that mean something once none has come twice (`pipeline/head.ts`). */
export const header = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name]
  return typeof value === 'string' ? value : undefined
}

/** So much of a session's id tells it from others, and is too little to take the session over. */
const NAME_LENGTH = 8

/** What people read of a session. */
export const sessionName = (id: string): string => id.slice(0, NAME_LENGTH)

/** Random, or with the address of a replica of either family. */
const SESSION_ID = /^(?:[\w-]{32}|[\w-]{48}|[\w-]{64})$/

/** The session that a request says it belongs to, where that is in the form of an id of ours: nobody has looked yet. */
export const claimedSession = (request: IncomingMessage): string | undefined => {
  const id = header(request, 'mcp-session-id')
  return id !== undefined && SESSION_ID.test(id) ? sessionName(id) : undefined
}
