// Spans as OTLP has them in protobuf (opentelemetry-proto 1, trace.proto). A span is bytes from the moment that it ends: the
// SDK's objects, of which a collector's request is made at last, cost 100 us for the two of a call (`bench -- telemetry`). Pure.

import { fieldBytes, Protobuf } from './protobuf.ts'
import { isSampled } from './trace-context.ts'
import type { Attributes, SpanEnd, SpanStart, TraceContext } from './trace.ts'

/** What of a span is more is counted alone. */
export const MAX_ATTRIBUTES = 32

const REQUEST = { resourceSpans: 1 } as const
const RESOURCE_SPANS = { resource: 1, scopeSpans: 2 } as const
const SCOPE_SPANS = { scope: 1, spans: 2 } as const
const RESOURCE = { attributes: 1 } as const
const SCOPE = { name: 1 } as const
const SPAN = {
  traceId: 1,
  spanId: 2,
  parentSpanId: 4,
  name: 5,
  kind: 6,
  start: 7,
  end: 8,
  attributes: 9,
  droppedAttributes: 10,
  links: 13,
  status: 15,
  flags: 16,
} as const
const LINK = { traceId: 1, spanId: 2, flags: 6 } as const
const STATUS = { message: 2, code: 3 } as const
const PAIR = { key: 1, value: 2 } as const
const VALUE = { text: 1, whole: 3, double: 4 } as const

const KIND = { server: 2, client: 3 } as const
const ERROR = 2
/** It is known whether the parent is another process's, and it is. */
const HAS_REMOTE = 0x100
const IS_REMOTE = 0x200

export interface EndedSpan {
  readonly context: TraceContext
  readonly start: SpanStart
  readonly end: SpanEnd
  readonly endMs: number
}

const NANOSECONDS = 1_000_000n

const nanoseconds = (ms: number): bigint => {
  const whole = Math.floor(ms)
  return BigInt(whole) * NANOSECONDS + BigInt(Math.round((ms - whole) * 1e6))
}

const flagsOf = (context: TraceContext, isRemote: boolean): number =>
  (isSampled(context) ? 1 : 0) | HAS_REMOTE | (isRemote ? IS_REMOTE : 0)

const writeAttribute = (to: Protobuf, field: number, key: string, value: string | number): void => {
  if (typeof value === 'string') {
    const bytes = Buffer.byteLength(value)
    const whole = fieldBytes(VALUE.text, bytes)
    const length = fieldBytes(PAIR.key, Buffer.byteLength(key)) + fieldBytes(PAIR.value, whole)
    to.head(field, length)
    to.text(PAIR.key, key)
    to.head(PAIR.value, whole)
    to.text(VALUE.text, value, bytes)
    return
  }
  const pair = to.begin(field)
  to.text(PAIR.key, key)
  const number = to.begin(PAIR.value)
  if (Number.isSafeInteger(value) && value >= 0) to.number(VALUE.whole, value)
  else to.double(VALUE.double, value)
  to.end(number)
  to.end(pair)
}

/** Writes as many as there is room for; returns how many there were. */
const writeAttributes = (to: Protobuf, attributes: Attributes, before: number): number => {
  let count = before
  for (const [key, value] of Object.entries(attributes)) {
    if (++count <= MAX_ATTRIBUTES) writeAttribute(to, SPAN.attributes, key, value)
  }
  return count
}

/** Attributes of a span by themselves, as `append` takes them. */
export const attributesAsBytes = (attributes: Attributes): Uint8Array => {
  const written = new Protobuf()
  writeAttributes(written, attributes, 0)
  return new Uint8Array(written.bytes)
}

/** First how it ended: that is never what there is no room for. What many have in common is little. */
const writeAllAttributes = (
  to: Protobuf,
  { attributes, shared }: SpanStart,
  end: SpanEnd,
): void => {
  let count = writeAttributes(to, end.attributes, 0)
  if (shared) {
    to.append(shared.bytes)
    count += shared.count
  }
  count = writeAttributes(to, attributes, count)
  if (count > MAX_ATTRIBUTES) to.number(SPAN.droppedAttributes, count - MAX_ATTRIBUTES)
}

const writeLink = (to: Protobuf, link: TraceContext): void => {
  const began = to.begin(SPAN.links)
  to.hex(LINK.traceId, link.traceId)
  to.hex(LINK.spanId, link.spanId)
  to.fixed32(LINK.flags, flagsOf(link, true))
  to.end(began)
}

const writeStatus = (to: Protobuf, { isError, message }: SpanEnd): void => {
  if (!isError) return
  const began = to.begin(SPAN.status)
  if (message !== undefined) to.text(STATUS.message, message)
  to.number(STATUS.code, ERROR)
  to.end(began)
}

/** Without any `tracestate`: texts of a client's own, which are nothing for a collector. */
export const writeSpan = (to: Protobuf, { context, start, end, endMs }: EndedSpan): void => {
  const { kind, startMs, parent, link, name } = start
  const began = to.begin(SCOPE_SPANS.spans)
  to.hex(SPAN.traceId, context.traceId)
  to.hex(SPAN.spanId, context.spanId)
  if (parent) to.hex(SPAN.parentSpanId, parent.spanId)
  to.text(SPAN.name, name)
  to.number(SPAN.kind, KIND[kind])
  to.fixed64(SPAN.start, nanoseconds(startMs))
  to.fixed64(SPAN.end, nanoseconds(endMs))
  writeAllAttributes(to, start, end)
  if (link) writeLink(to, link)
  writeStatus(to, end)
  to.fixed32(SPAN.flags, flagsOf(context, parent !== undefined && kind === 'server'))
  to.end(began)
}

/** Makes requests of spans that have been written, all of one resource. */
export const requestsOf = (resource: Attributes, scope: string) => {
  const about = new Protobuf()
  const began = about.begin(RESOURCE_SPANS.resource)
  for (const [key, value] of Object.entries(resource)) {
    writeAttribute(about, RESOURCE.attributes, key, value)
  }
  about.end(began)
  const by = new Protobuf()
  const named = by.begin(SCOPE_SPANS.scope)
  by.text(SCOPE.name, scope)
  by.end(named)
  return (spans: Buffer): Buffer => {
    const inScope = by.length + spans.length
    const head = new Protobuf()
    head.head(REQUEST.resourceSpans, about.length + fieldBytes(RESOURCE_SPANS.scopeSpans, inScope))
    const middle = new Protobuf()
    middle.head(RESOURCE_SPANS.scopeSpans, inScope)
    return Buffer.concat([head.bytes, about.bytes, middle.bytes, by.bytes, spans])
  }
}
