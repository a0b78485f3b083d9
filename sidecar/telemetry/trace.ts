// What the sidecar knows of traces: spans, their context, and the parts a request's way through us has. It
// names no library; with traces off none of it exists.

import type { Notification, Request } from '../mcp/message.ts'

/** What can bear a context. */
export type Bearer = Request | Notification

/** The identity of a span that travels between processes (W3C Trace Context). */
export interface TraceContext {
  readonly traceId: string
  readonly spanId: string
  readonly flags: number
  /** The exact `tracestate` that came with it. */
  readonly state: string | undefined
}

export type Attributes = Readonly<Record<string, string | number>>

/** What spans of many messages have in common. */
export interface Shared {
  readonly name: string
  /** Their attributes as a span has them in OTLP, and how many those are. */
  readonly bytes: Uint8Array
  readonly count: number
}

export interface SpanStart {
  readonly kind: 'server' | 'client'
  /** Milliseconds since the epoch. */
  readonly startMs: number
  readonly parent: TraceContext | undefined
  readonly link: TraceContext | undefined
  readonly name: string
  /** Attributes that others have too; absent where there are none. */
  readonly shared?: Shared
  readonly attributes: Attributes
}

export interface SpanEnd {
  readonly attributes: Attributes
  readonly isError: boolean
  /** Why it failed, for people. */
  readonly message: string | undefined
}

export interface Span {
  readonly context: TraceContext
  end(end: SpanEnd, endMs: number): void
}

/** Where spans are made and sent from. Nothing here waits, throws, or grows without a bound. */
export interface Spans {
  /** Milliseconds since the epoch. */
  readonly wallNow: () => number
  /** What goes on with a message whose trace is not recorded, by its parent or by chance; undefined of one that is. */
  leftOut(parent: TraceContext | undefined): TraceContext | undefined
  start(start: SpanStart): Span
  /** Sends what has ended, for at most so long. */
  shutdown(patienceMs: number): Promise<void>
}

/** A message's way to the server, and back where it is a request: the CLIENT span. */
export interface Hop {
  readonly context: TraceContext
  /** `errorType` as in the metrics, absent on success; `message` of the error, for people. Only the first end counts. */
  end(errorType: string | undefined, message?: string): void
}

/** Whoever traces what servers say by themselves. */
export interface Passes {
  /** It goes to a client, with this context; it ends when that has answered. */
  pass(message: Bearer, from: PassedFrom): Hop
}

/** The trace of one request or notification from its client: the SERVER span. */
export interface RequestTrace {
  /** Of its own span. */
  readonly context: TraceContext
  /** It is sent on, a request under our id; `port` of a server that speaks HTTP. */
  send(id: number | undefined, port: number | undefined): Hop
}

/** Where a message of the server's own comes from, and to whom it goes. */
export interface PassedFrom {
  /** The hop of the call that it belongs to, where that is known. */
  readonly parent: TraceContext | undefined
  /** Of a server that speaks HTTP. */
  readonly port: number | undefined
  /** The beginning of its id. */
  readonly session: string | undefined
}
