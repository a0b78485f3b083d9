// One JSON-RPC message as the bridge sees it: what it is and where its parts stand in the text.
// Pure. It refuses what is not exactly one MCP message; it never changes a byte.

import type { JsonText } from '../json/text.ts'
import { quoted, type JsonObject, type Member, type Span } from '../json/scan.ts'
import { fail, ok, type Result } from '../../shared/result.ts'

interface Parts {
  /** The whole message, CR and LF already spaces; spans are offsets into it. */
  readonly text: string
  readonly envelope: JsonObject
}

/** A JSON-RPC request: `id` is its exact JSON text's place. */
export interface Request extends Parts {
  readonly kind: 'request'
  readonly id: Span
  readonly method: string
  readonly params: JsonObject | undefined
  /** The parameters' `name`, where that is a string and no long one: read once for all who ask (`nameOf`). */
  readonly shortName: string | undefined
  /** `_meta` of the parameters. */
  readonly meta: JsonObject | undefined
}

export interface Notification extends Parts {
  readonly kind: 'notification'
  readonly method: string
  readonly params: JsonObject | undefined
  /** The parameters' `name`, where that is a string and no long one: read once for all who ask (`nameOf`). */
  readonly shortName: string | undefined
  /** `_meta` of the parameters. */
  readonly meta: JsonObject | undefined
}

/** A response; `id` is undefined where it is null or absent (an error whose request could not be read). */
export interface Response extends Parts {
  readonly kind: 'response'
  readonly id: Span | undefined
  readonly result: Member | undefined
  readonly error: Member | undefined
}

export type Message = Request | Notification | Response

/** Long enough for any id or token in use, short enough to keep in maps. */
export const MAX_ID_LENGTH = 256
const MAX_METHOD_LENGTH = 256

const ENVELOPE = ['jsonrpc', 'id', 'method', 'params', 'result', 'error']
const PARAMS = [
  '_meta',
  'name',
  'uri',
  'arguments',
  'requestId',
  'progressToken',
  'protocolVersion',
  'capabilities',
  'clientInfo',
  'level',
  'cursor',
  'ref',
  'inputResponses',
  'requestState',
  'notifications',
  'argument',
  'taskId',
]
const META = [
  'progressToken',
  'traceparent',
  'tracestate',
  'baggage',
  'io.modelcontextprotocol/protocolVersion',
  'io.modelcontextprotocol/clientCapabilities',
  'io.modelcontextprotocol/clientInfo',
  'io.modelcontextprotocol/logLevel',
  'io.modelcontextprotocol/subscriptionId',
]

/** Folds as Go's decoder does, where also the Kelvin sign is a k and the long s an s. */
const fold = (name: string): string => name.toUpperCase().toLowerCase()

const byFold = (names: readonly string[]): ReadonlyMap<string, string> =>
  new Map(names.map((name) => [fold(name), name]))

const FOLDED = { envelope: byFold(ENVELOPE), params: byFold(PARAMS), meta: byFold(META) }
const EXACT = { envelope: new Set(ENVELOPE), params: new Set(PARAMS), meta: new Set(META) }

/** The name that a case-insensitive reader would take this member for, if it is not that name. */
const lookalike = (
  object: JsonObject | undefined,
  level: keyof typeof FOLDED,
): string | undefined => {
  for (const { name } of object?.members ?? []) {
    if (EXACT[level].has(name)) continue
    const twin = FOLDED[level].get(fold(name))
    if (twin !== undefined) return `the member ${quoted(name)} differs only in case from "${twin}"`
  }
  return undefined
}

export const member = (object: JsonObject | undefined, name: string): Member | undefined => {
  for (const candidate of object?.members ?? []) if (candidate.name === name) return candidate
  return undefined
}

/** V8 keeps the whole of a text for as long as a part of it: short parts of texts that are not are copied out. */
const LONG_TEXT = 4 * 1024
const SHORT_PART = 8 * 1024

const part = (text: string, start: number, end: number): string => {
  const found = text.slice(start, end)
  return text.length < LONG_TEXT || found.length > SHORT_PART
    ? found
    : Buffer.from(found, 'latin1').toString('latin1')
}

/** The exact JSON text at a place. */
export const slice = (text: string, span: Span): string => part(text, span.start, span.end)

const SHORT = 1024
const BEYOND_ASCII = /[\x80-\xff]/

/** The same with its bytes read as UTF-8: what is short and ASCII is that already, and told so in a fifth of the time. */
export const decodedSlice = (text: string, span: Span): string => {
  const found = slice(text, span)
  return found.length < SHORT && !BEYOND_ASCII.test(found)
    ? found
    : Buffer.from(found, 'latin1').toString()
}

/** The value at a place; call it on small parts only. The text has been scanned, so this parses. */
export const valueAt = (text: string, span: Span | undefined): unknown =>
  span === undefined ? undefined : JSON.parse(decodedSlice(text, span))

const ENCODED = /[\\\x80-\xff]/

/**
 * The string at a place; undefined where there is none or something else, also where half a surrogate
 * pair stands in it: readers that cannot hold one would take it for another string.
 */
export const stringAt = (text: string, span: Span | undefined): string | undefined => {
  if (span === undefined || text.charCodeAt(span.start) !== 0x22) return undefined
  const raw = part(text, span.start + 1, span.end - 1)
  if (!ENCODED.test(raw)) return raw
  const value = valueAt(text, span)
  return typeof value === 'string' && value.isWellFormed() ? value : undefined
}

/** Room for 128 characters, were each an escape, and more: what is kept with a message has to be small. */
const MAX_SHORT_NAME = 1024

const shortNameIn = (text: string, place: Member | undefined): string | undefined =>
  place && place.end - place.start <= MAX_SHORT_NAME ? stringAt(text, place) : undefined

/** The name of the tool or prompt that a message is about; undefined where it has none that is a string. */
export const nameOf = ({ text, params, shortName }: Request | Notification): string | undefined =>
  shortName ?? stringAt(text, member(params, 'name'))

/** Whether the JSON text is a string or a number, of bounded length: what MCP allows as id and token. */
export const isIdentifier = (text: string, span: Span): boolean => {
  const code = text.charCodeAt(span.start)
  const isScalar = code === 0x22 || code === 0x2d || (code >= 0x30 && code <= 0x39)
  return isScalar && span.end - span.start <= MAX_ID_LENGTH
}

const NO_ID = '"id" is neither a string nor a number of at most 256 characters'
const METHOD = /^[!-~]+$/

const isNoObject = (place: Member | undefined): boolean =>
  place !== undefined && place.object === undefined

/** What is wrong with the parameters of a request or notification. */
const paramsFault = (
  text: string,
  params: Member | undefined,
  meta: Member | undefined,
): string | undefined => {
  if (isNoObject(params)) return '"params" is not an object'
  if (isNoObject(meta)) return '"_meta" is not an object'
  const token = member(meta?.object, 'progressToken')
  if (token !== undefined && !isIdentifier(text, token)) {
    return '"progressToken" is neither a string nor a number of at most 256 characters'
  }
  return lookalike(params?.object, 'params') ?? lookalike(meta?.object, 'meta')
}

const call = (parts: Parts, method: string, id: Span | undefined): Result<Message, string> => {
  if (method.length > MAX_METHOD_LENGTH || !METHOD.test(method)) {
    return fail('"method" is not a method name')
  }
  const place = member(parts.envelope, 'params')
  const params = place?.object
  const metaPlace = member(params, '_meta')
  const wrong = paramsFault(parts.text, place, metaPlace)
  if (wrong !== undefined) return fail(wrong)
  const meta = metaPlace?.object
  const shortName = shortNameIn(parts.text, member(params, 'name'))
  return ok(
    id === undefined
      ? { kind: 'notification', ...parts, method, params, shortName, meta }
      : { kind: 'request', ...parts, id, method, params, shortName, meta },
  )
}

const response = (parts: Parts, id: Span | undefined): Result<Message, string> => {
  const result = member(parts.envelope, 'result')
  const error = member(parts.envelope, 'error')
  if ((result === undefined) === (error === undefined)) {
    return fail('a message needs "method", or exactly one of "result" and "error"')
  }
  if (id === undefined || slice(parts.text, id) === 'null') {
    return error === undefined
      ? fail('a result needs the "id" of its request')
      : ok({ kind: 'response', ...parts, id: undefined, result, error })
  }
  return isIdentifier(parts.text, id)
    ? ok({ kind: 'response', ...parts, id, result, error })
    : fail(NO_ID)
}

/** Reads an object as one JSON-RPC 2.0 message of MCP; the error names the fault. */
export const readMessage = (text: string, envelope: JsonObject): Result<Message, string> => {
  const twin = lookalike(envelope, 'envelope')
  if (twin !== undefined) return fail(twin)
  if (stringAt(text, member(envelope, 'jsonrpc')) !== '2.0') return fail('"jsonrpc" is not "2.0"')
  const parts = { text, envelope }
  const id = member(envelope, 'id')
  const place = member(envelope, 'method')
  if (place === undefined) return response(parts, id)
  const method = stringAt(text, place)
  if (method === undefined) return fail('"method" is not a string')
  if (member(envelope, 'result') !== undefined || member(envelope, 'error') !== undefined) {
    return fail('a message with "method" has no "result" and no "error"')
  }
  if (id !== undefined && !isIdentifier(text, id)) return fail(NO_ID)
  return call(parts, method, id)
}

/** The message in a scanned text that holds exactly one; batches are the caller's business. */
export const oneMessage = (json: JsonText): Result<Message, string> =>
  json.scanned.kind === 'array'
    ? fail('a batch, which this revision does not have')
    : readMessage(json.text, json.scanned.object)
