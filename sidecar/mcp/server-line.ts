// What a server has written, from bytes to a decision: read by pipes (a line) and by HTTP (a body, an event), for both
// eras. What is exactly one message costs one strict read; whatever is not goes by the table below (MENDS), from top to
// bottom, and ends as messages, each strictly read, and as what cannot be used. Pure.
//
// Strict stays: names that stand twice where we read, members that differ in case from one that we read, ids of nobody.

import { isUtf8 } from 'node:buffer'
import { fail, ok, type Result } from '../../shared/result.ts'
import { quoted, scanLoosely, type JsonObject, type Seen } from '../json/scan.ts'
import { readJson } from '../json/text.ts'
import { member, oneMessage, readMessage, slice, valueAt, type Message } from './message.ts'
import { SUBSCRIPTION_KEY } from './meta.ts'
import { withoutNulls } from './nulls.ts'
import { isNotice, withEmptyObjects, withoutId } from './other-forms.ts'
import type { Tolerance } from './tolerance.ts'
import { unusable, type Unusable } from './unusable.ts'

/** A line that is not exactly one message. */
export interface OddLine {
  readonly kind: 'odd'
  readonly messages: readonly Message[]
  readonly unusable: readonly Unusable[]
  /** What it took to read the messages. */
  readonly tolerated: ReadonlySet<Tolerance>
  /** A name that stands twice in an object of a message, deeper than we have read. */
  readonly twin: string | undefined
}

export type ServerLine = Message | OddLine

export const readServerLine = (bytes: Buffer): ServerLine => {
  const json = readJson(bytes)
  const message = json.ok ? oneMessage(json.value) : undefined
  return message?.ok && !isOdd(message.value) ? message.value : readOddLine(bytes)
}

const isOdd = (message: Message): boolean =>
  message.kind === 'request' ? isNotice(message.method) : answerFault(message) !== undefined

const MAX_CODE = 32

/** Why no client could read an answer: most drop it, and whoever asked waits. */
const answerFault = (message: Message): string | undefined => {
  if (message.kind !== 'response') return undefined
  const { text, result, error } = message
  if (error) return error.object ? errorFault(text, error.object) : '"error" is not an object'
  return result?.object ? undefined : '"result" is not an object'
}

const errorFault = (text: string, error: JsonObject): string | undefined => {
  const code = member(error, 'code')
  const isShort = code !== undefined && code.end - code.start <= MAX_CODE
  if (!isShort || !Number.isInteger(valueAt(text, code))) {
    return 'the "code" of its error is not a whole number'
  }
  const isSaid = text.charCodeAt(member(error, 'message')?.start ?? 0) === 0x22
  return isSaid ? undefined : 'the "message" of its error is not a string'
}

interface Part {
  readonly text: string
  readonly seen: Seen
}

interface Mend {
  readonly what: Tolerance
  /** What stands there in other words, to be read by the rows below; undefined where the row does not fit. */
  readonly mend: (part: Part) => readonly string[] | undefined
}

/** UTF-8's byte order mark, each byte as a character. */
const MARKS = /^(?:\xef\xbb\xbf)+/
/** Most messages on one line: what follows each is looked through once for each. */
const MAX_PARTS = 64

const MENDS: readonly Mend[] = [
  { what: 'byte-order-mark', mend: ({ text }) => unmarked(text) },
  { what: 'several-on-a-line', mend: (part) => sideBySide(part) },
  { what: 'batch', mend: (part) => batched(part) },
  { what: 'null-member', mend: (part) => mended(part, withoutNulls) },
  { what: 'empty-object', mend: (part) => mended(part, withEmptyObjects) },
  { what: 'notification-id', mend: (part) => mended(part, withoutId) },
]

const unmarked = (text: string): readonly string[] | undefined =>
  MARKS.test(text) ? [text.replace(MARKS, '')] : undefined

interface Reading {
  readonly messages: Message[]
  readonly unusable: Unusable[]
  readonly tolerated: Set<Tolerance>
  twin: string | undefined
}

const LINE_ENDS = /[\r\n]/g

const readOddLine = (bytes: Buffer): OddLine => {
  const reading: Reading = { messages: [], unusable: [], tolerated: new Set(), twin: undefined }
  const text = bytes.toString('latin1').replace(LINE_ENDS, ' ')
  const encoding = encodingFault(bytes)
  if (encoding !== undefined) reading.unusable.push(unusable(text, encoding))
  else decide(text, MENDS, reading)
  return { kind: 'odd', ...reading }
}

/** Each second byte is NUL: the characters that JSON is made of, in UTF-16. */
const isUtf16 = (bytes: Buffer): boolean =>
  bytes.length > 3 && (bytes[0] === 0) !== (bytes[1] === 0) && (bytes[2] === 0) !== (bytes[3] === 0)

const encodingFault = (bytes: Buffer): string | undefined => {
  const isMarked =
    (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)
  if (isMarked || isUtf16(bytes)) return 'the bytes are UTF-16, not UTF-8'
  return isUtf8(bytes) ? undefined : 'the bytes are not valid UTF-8'
}

const decide = (text: string, mends: readonly Mend[], reading: Reading): void => {
  if (text.trim() === '') return
  const seen = scanLoosely(text)
  for (const [row, { what, mend }] of mends.entries()) {
    const parts = mend({ text, seen })
    if (parts === undefined) continue
    reading.tolerated.add(what)
    for (const part of parts) decide(part, mends.slice(row + 1), reading)
    return
  }
  const message = messageIn(text, seen)
  if (message.ok) {
    reading.messages.push(message.value)
    reading.twin ??= seen.twin
  } else reading.unusable.push(unusable(text, message.error, seen))
}

const messageIn = (text: string, { scanned, twin }: Seen): Result<Message, string> => {
  if (!scanned.ok) return fail(`${scanned.error.reason} (at byte ${scanned.error.offset})`)
  if (scanned.value.kind === 'array') return fail('a list in a list, or an empty one')
  const envelope = scanned.value.object
  const again = twin === undefined ? undefined : twinThatIsRead(envelope)
  if (again !== undefined) return fail(`the member name ${quoted(again)} stands twice`)
  const message = readMessage(text, envelope)
  if (!message.ok) return message
  const wrong = answerFault(message.value)
  return wrong === undefined ? ok(message.value) : fail(wrong)
}

/** Whoever reads these must not take the one where another takes the other. */
const READ: ReadonlySet<string> = new Set([
  '_meta',
  'cacheScope',
  'code',
  'inputRequests',
  'isError',
  'message',
  'progressToken',
  'protocolVersion',
  'requestId',
  'resultType',
  'uri',
  SUBSCRIPTION_KEY,
])

const twinThatIsRead = (envelope: JsonObject): string | undefined =>
  twinIn(envelope) ??
  envelope.members
    .flatMap(({ object }) => [object, member(object, '_meta')?.object])
    .map((object) => twinIn(object, READ))
    .find((twin) => twin !== undefined)

const twinIn = (
  object: JsonObject | undefined,
  among?: ReadonlySet<string>,
): string | undefined => {
  const names = new Set<string>()
  for (const { name } of object?.members ?? []) {
    if (names.has(name) && (among?.has(name) ?? true)) return name
    names.add(name)
  }
  return undefined
}

/** Whole texts one behind the other, as writers leave them that forget the line end. */
const sideBySide = ({ text, seen }: Part): readonly string[] | undefined => {
  const parts: string[] = []
  let rest = text
  for (let next = seen; !next.scanned.ok; next = scanLoosely(rest, seen.isPlain)) {
    if (next.follows === undefined || parts.length === MAX_PARTS) return undefined
    parts.push(rest.slice(0, next.follows).trimEnd())
    rest = rest.slice(next.follows)
  }
  return parts.length === 0 ? undefined : [...parts, rest]
}

const batched = ({ text, seen: { scanned } }: Part): readonly string[] | undefined =>
  scanned.ok && scanned.value.kind === 'array' && scanned.value.items.length > 0
    ? scanned.value.items.map((item) => slice(text, item))
    : undefined

/** One message in other words; not where names stand twice that are read. */
const mended = (
  { text, seen: { scanned, twin } }: Part,
  mend: (text: string, envelope: JsonObject) => string | undefined,
): readonly string[] | undefined => {
  if (!scanned.ok || scanned.value.kind === 'array') return undefined
  const { object } = scanned.value
  if (twin !== undefined && twinThatIsRead(object) !== undefined) return undefined
  const found = mend(text, object)
  return found === undefined ? undefined : [found]
}
