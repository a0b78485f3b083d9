// One HTTP request and its reply.

import type { IncomingMessage } from 'node:http'
import type { Reply } from './reply.ts'

export interface Exchange {
  readonly request: IncomingMessage
  readonly reply: Reply
  /** Monotonic milliseconds. */
  readonly arrivedMs: number
}

/** A header's value; of those that mean something once none has come twice (`pipeline/head.ts`). */
export const header = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name]
  return typeof value === 'string' ? value : undefined
}
