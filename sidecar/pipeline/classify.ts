// From bytes to what is asked: exactly one JSON value, one message or a legacy batch, and its era. What is off in form and
// means one thing only is put right here, before anybody judges it. What is asked has its trace from here on.

import { free } from '../bytes/freed.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Ask, Asked } from '../conversation/ask.ts'
import { header } from '../http/exchange.ts'
import type { JsonObject } from '../json/scan.ts'
import { readJson, type JsonText } from '../json/text.ts'
import { readBatch } from '../mcp/batch.ts'
import { claimOf, isOddInitialize } from '../mcp/era.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import type { HeaderOf } from '../mcp/header-value.ts'
import { isIdentifier, member, slice, type Message } from '../mcp/message.ts'
import { readWithoutNulls } from '../mcp/nulls.ts'
import type { Remarks } from '../mcp/tolerance.ts'
import type { Operation, Operations } from '../telemetry/operations.ts'
import type { Tracing } from '../telemetry/tracing.ts'
import type { Passage, Stage } from './stage.ts'

export interface ClassifyOptions {
  readonly tracing: Tracing | undefined
  readonly operations: Pick<Operations, 'begin'>
  readonly remarks: Remarks
}

export const classify =
  (options: ClassifyOptions): Stage =>
  (passage) => {
    const ask = askOf(passage, options)
    // Of the body nothing is left but text.
    if (passage.body) free(passage.body.bytes)
    if (!ask.ok) return ask.error
    passage.ask = ask.value
    return undefined
  }

const askOf = (passage: Passage, options: ClassifyOptions): Result<Ask, Fault> => {
  const { request, body } = passage
  if (request.method === 'GET') return ok({ kind: 'listen' })
  if (request.method === 'DELETE') return ok({ kind: 'delete' })
  const json = readJson(withoutMark(body?.bytes ?? Buffer.alloc(0), options))
  if (!json.ok) {
    return fail(fault('parse-error', `${json.error.reason} (at byte ${json.error.offset})`))
  }
  const { text, scanned } = json.value
  return scanned.kind === 'array'
    ? askBatch(json.value, passage, options)
    : askOne(text, scanned.object, passage, options)
}

/** RFC 8259, section 8.1: a reader may ignore a byte order mark. */
const withoutMark = (bytes: Buffer, { remarks }: ClassifyOptions): Buffer => {
  if (bytes[0] !== 0xef || bytes[1] !== 0xbb || bytes[2] !== 0xbf) return bytes
  remarks.tolerated('byte-order-mark')
  return bytes.subarray(3)
}

const headersOf =
  ({ request }: Passage): HeaderOf =>
  (name) =>
    header(request, name)

const operationOf = (
  message: Message,
  { operations }: ClassifyOptions,
  { arrivedMs }: Passage,
): Operation | undefined =>
  message.kind === 'request' ? operations.begin(message, arrivedMs) : undefined

const askOne = (
  text: string,
  envelope: JsonObject,
  passage: Passage,
  options: ClassifyOptions,
): Result<Ask, Fault> => {
  const { tracing, remarks } = options
  passage.idText = idOf(text, envelope)
  const read = readWithoutNulls(text, envelope, remarks)
  if (!read.ok) return fail(fault('invalid-request', read.error))
  const message = read.value
  const headerOf = headersOf(passage)
  const claim = claimOf(message, headerOf)
  if (claim.era === 'legacy' && isOddInitialize(message, headerOf))
    remarks.tolerated('initialize-version')
  const era = claim.era === 'unclaimed' ? undefined : claim.era
  const trace = tracing?.begin(passage, message, era)
  const operation = operationOf(message, options, passage)
  passage.reply.operation = operation
  passage.reply.span = trace?.context
  return ok({ kind: 'message', claim, message, trace, operation })
}

/** The id that an answer to this body must bear, also where the body is refused (JSON-RPC 2.0, section 5). */
const idOf = (text: string, envelope: JsonObject): string | undefined => {
  const id = member(envelope, 'id')
  return id && member(envelope, 'method') && isIdentifier(text, id) ? slice(text, id) : undefined
}

const askBatch = (
  json: JsonText,
  passage: Passage,
  options: ClassifyOptions,
): Result<Ask, Fault> => {
  const { tracing, remarks } = options
  const messages = readBatch(json, (text, envelope) => readWithoutNulls(text, envelope, remarks))
  if (!messages.ok) return fail(fault('invalid-request', messages.error))
  const headerOf = headersOf(passage)
  if (messages.value.some((message) => claimOf(message, headerOf).era !== 'legacy')) {
    return fail(fault('invalid-request', 'a batch, which the modern era does not have'))
  }
  const items = messages.value.map((message): Asked => ({
    message,
    trace: tracing?.begin(passage, message, 'legacy'),
    operation: operationOf(message, options, passage),
  }))
  return ok({ kind: 'batch', items })
}
