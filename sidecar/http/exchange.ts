// What is known of one HTTP request on its way through the pipeline; each stage adds its part.

import type { IncomingMessage } from 'node:http'
import type { Permit } from '../access/permit.ts'
import type { Principal } from '../access/principal.ts'
import type { Message } from '../mcp/message.ts'
import type { Era } from '../mcp/revision.ts'
import type { Reply } from './reply.ts'

/** What a client asks: one message, a legacy batch, or a legacy GET or DELETE. */
export type Ask =
  | { readonly kind: 'message'; readonly era: Era; readonly message: Message }
  | { readonly kind: 'batch'; readonly messages: readonly Message[] }
  | { readonly kind: 'listen' }
  | { readonly kind: 'delete' }

export interface Exchange {
  readonly request: IncomingMessage
  readonly reply: Reply
  /** Monotonic milliseconds. */
  readonly arrivedMs: number
  /** The body's bytes, after `limits`. */
  body: Buffer | undefined
  /** The exact JSON text of the request's id, once that has been read. */
  idText: string | undefined
  /** After `classify`. */
  ask: Ask | undefined
  /** After `authenticate`. */
  principal: Principal | undefined
  /** After `authorize`. */
  permit: Permit | undefined
}

/** A header's value; `limits` has refused requests where one that we read came twice. */
export const header = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name]
  return typeof value === 'string' ? value : undefined
}
