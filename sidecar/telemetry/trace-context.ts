// W3C Trace Context in and out of MCP messages: `params._meta.traceparent` and `tracestate` (SEP-414), found by
// structure. What is not valid is as if it were absent (W3C Trace Context, 3.2 and 3.3). Our own, since the
// sidecar's bundle has nothing of OpenTelemetry, whose propagators know HTTP headers and no places in a text. Pure.

import type { JsonObject } from '../json/scan.ts'
import { member, stringAt } from '../mcp/message.ts'
import type { Edit } from '../mcp/rewrite.ts'
import type { Bearer, TraceContext } from './trace.ts'

const PARENT = 'traceparent'
const STATE = 'tracestate'

/** Later versions may append to what version 00 has. */
const MAX_PARENT_LENGTH = 128
const MAX_STATE_LENGTH = 512
const MAX_STATE_MEMBERS = 32
/** JSON text that could still hold one of them, were every character an escape. */
const MAX_TEXT_LENGTH = 6 * MAX_STATE_LENGTH + 2

/** Not version ff, no more than that in version 00, and no ids of zeros. */
const TRACEPARENT =
  /^(?!ff|00.{54})[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/
const STATE_MEMBER =
  /^[a-z0-9][a-z0-9_*/@-]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/

const SAMPLED = 0x01
const RANDOM = 0x02

/** The flags of a span, by whether it is recorded, and by its parent's where that is in the same trace. */
export const flagsOf = (isSampled: boolean, parent: TraceContext | undefined): number =>
  (isSampled ? SAMPLED : 0) | ((parent?.flags ?? 0) & RANDOM)

export const isSampled = ({ flags }: Pick<TraceContext, 'flags'>): boolean =>
  (flags & SAMPLED) !== 0

const isState = (text: string): boolean => {
  if (text.length > MAX_STATE_LENGTH) return false
  const members = text.split(',').map((one) => one.trim())
  return (
    members.length <= MAX_STATE_MEMBERS &&
    members.every((one) => one === '' || STATE_MEMBER.test(one))
  )
}

/** The context that two texts give; a bad `tracestate` is left out, without a good `traceparent` there is none. */
export const readContext = (
  parent: string | undefined,
  state: string | undefined,
): TraceContext | undefined => {
  if (parent === undefined || parent.length > MAX_PARENT_LENGTH) return undefined
  const [, traceId, spanId, flags] = TRACEPARENT.exec(parent) ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined
  return {
    traceId,
    spanId,
    flags: Number.parseInt(flags, 16),
    state: state !== undefined && isState(state) ? state : undefined,
  }
}

const textIn = (request: Bearer, name: string): string | undefined => {
  const place = member(request.meta, name)
  return place && place.end - place.start <= MAX_TEXT_LENGTH
    ? stringAt(request.text, place)
    : undefined
}

/** The context that a message bears itself. */
export const contextIn = (request: Bearer): TraceContext | undefined =>
  readContext(textIn(request, PARENT), textIn(request, STATE))

/** The `traceparent` of a context, version 00. */
export const traceparent = ({ traceId, spanId, flags }: TraceContext): string =>
  `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`

/** Puts members in front of an object's own. */
const insertion = ({ start, members }: JsonObject, text: string): Edit => ({
  start: start + 1,
  end: start + 1,
  text: members.length > 0 ? `${text},` : text,
})

/**
 * The edits that make a message bear this context: in place where it bears one, else inserted, with
 * `_meta` and `params` where those are missing too. A `tracestate` of another context does not stay.
 */
export const injection = (request: Bearer, context: TraceContext): readonly Edit[] => {
  const { meta } = request
  const edits: Edit[] = []
  let missing = ''
  const put = (name: string, value: string): void => {
    const place = member(meta, name)
    const text = name === PARENT ? `"${value}"` : JSON.stringify(value)
    if (place === undefined) missing += `${missing === '' ? '' : ','}"${name}":${text}`
    else if (stringAt(request.text, place) !== value)
      edits.push({ start: place.start, end: place.end, text })
  }
  put(PARENT, traceparent(context))
  if (context.state !== undefined) put(STATE, context.state)
  else if (member(meta, STATE)) put(STATE, '')
  if (missing === '') return edits
  if (meta) edits.push(insertion(meta, missing))
  else if (request.params) edits.push(insertion(request.params, `"_meta":{${missing}}`))
  else {
    const end = request.envelope.end - 1
    edits.push({ start: end, end, text: `,"params":{"_meta":{${missing}}}` })
  }
  return edits
}
