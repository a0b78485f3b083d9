// What a client asks, once its body has been understood. Everything behind `classify` sees this and no bytes.

import type { Claim } from '../mcp/era.ts'
import type { Fault } from '../mcp/faults.ts'
import type { Message } from '../mcp/message.ts'
import { SUBSCRIBE } from '../mcp/meta.ts'
import type { Operation } from '../telemetry/operations.ts'
import type { RequestTrace } from '../telemetry/trace.ts'
import type { CallRecord } from './record.ts'
import type { Ticket } from './ticket.ts'

/** A client's message, and its trace where it is a request and traces are on. */
export interface Asked {
  readonly message: Message
  readonly trace: RequestTrace | undefined
  /** Of a request. */
  readonly operation?: Operation | undefined
  /** Why it goes no further, of a message in a batch. */
  readonly denied?: Fault
  /** After `guard`, of a request, where its caller or its tool is limited. */
  ticket?: Ticket
  /** After `audit`, of a request, where records are kept. */
  record?: CallRecord
}

/** One that came alone, and what it claims to be. */
export interface Claiming extends Asked {
  readonly claim: Claim
}

/** One message, a legacy batch, or a legacy GET or DELETE. */
export type Ask =
  | (Claiming & { readonly kind: 'message' })
  | { readonly kind: 'batch'; readonly items: readonly Asked[] }
  | { readonly kind: 'listen' }
  | { readonly kind: 'delete' }

/** Whether it is answered by what happens from now on, not by an end of its own. */
export const isListening = (ask: Ask): boolean =>
  ask.kind === 'listen' ||
  (ask.kind === 'message' && ask.message.kind === 'request' && ask.message.method === SUBSCRIBE)

/** The messages of it. */
export const messagesOf = (ask: Ask | undefined): readonly Asked[] => {
  if (ask?.kind === 'message') return [ask]
  return ask?.kind === 'batch' ? ask.items : []
}
