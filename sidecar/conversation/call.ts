// One request in flight, and whoever waits for its answer.

import type { Key } from '../../shared/annotations.ts'
import type { Fault } from '../mcp/faults.ts'
import type { Notification, Response } from '../mcp/message.ts'
import type { Edit } from '../mcp/rewrite.ts'
import type { Envelope } from '../server/link.ts'
import type { Operation } from '../telemetry/operations.ts'
import type { Hop, RequestTrace } from '../telemetry/trace.ts'
import type { Clock } from './clock.ts'
import type { CallRecord } from './record.ts'

/** Whoever waits for the answer to one request; texts are whole messages with the caller's own ids. */
export interface Caller {
  answer(text: string, response: Response): void
  /**
   * Progress, or a message of the caller's subscription; `message` is the server's own, with our ids. False where nobody
   * is there to hear it.
   */
  notice(text: string, message: Notification): boolean
  fault(fault: Fault): void
}

/** How long a request waits, and the annotation that says so. */
export interface Patience {
  readonly timeoutMs: number
  readonly setting: Key
}

export interface CallOptions {
  /** Longest wait, or 0 for requests that live as long as they like (subscriptions). */
  readonly timeoutMs: number
  /** The annotation that says so, for the fault; absent where none does. */
  readonly setting?: Key | undefined
  readonly headers?: Envelope['headers'] | undefined
  /** What of its text the server has otherwise, besides what is ours. */
  readonly edits?: readonly Edit[]
  /** Of a client's request, where traces are on. */
  readonly trace?: RequestTrace | undefined
  /** Of a client's request. */
  readonly operation?: Operation | undefined
  /** The same where records are kept. */
  readonly record?: CallRecord | undefined
}

/** One request in flight. */
export interface Call {
  readonly id: number
  readonly idText: string
  readonly tokenText: string | undefined
  readonly method: string
  readonly caller: Caller
  readonly timeoutMs: number
  readonly setting?: Key | undefined
  readonly sentMs: number
  /** Its way to the server and back, where that is traced. */
  readonly hop?: Hop | undefined
  readonly operation?: Operation | undefined
  readonly record?: CallRecord | undefined
  readonly clock: Clock
  /** A line may have been its answer and cannot be used: the reason, if none comes that can, and until when. */
  doubt?: { readonly fault: Fault; readonly untilMs: number }
}

/** Takes note of how a request ended; `errorType` by OpenTelemetry's MCP conventions, absent on success. */
export type Observe = (
  call: Call,
  errorType: string | undefined,
  response: Response | undefined,
) => void
