// One HTTP request and its reply.

import type { IncomingMessage } from 'node:http'
import type { Reply } from './reply.ts'

export interface Exchange {
  readonly request: IncomingMessage
  readonly reply: Reply
  /** Monotonic milliseconds. */
  readonly arrivedMs: number
}

/** So many headers are too many: they are all read before anybody is known, and a short one costs many times its bytes. */
export const MAX_HEADERS = 256

/** A header's value; of those that mean something once none has come twice (`pipeline/head.ts`). */
export const header = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name]
  return typeof value === 'string' ? value : undefined
}
