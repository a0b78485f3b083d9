// From bytes to what is asked: exactly one JSON value, one message or a legacy batch, its era, and headers that agree
// with it. What is asked has its trace from here on, also where it is refused for its era.

import { free } from '../bytes/freed.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Ask, Asked } from '../conversation/ask.ts'
import { header } from '../http/exchange.ts'
import type { JsonObject } from '../json/scan.ts'
import { readJson, type JsonText } from '../json/text.ts'
import { readBatch } from '../mcp/batch.ts'
import { eraOf } from '../mcp/era.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import type { HeaderOf } from '../mcp/header-value.ts'
import { isIdentifier, member, readMessage, slice } from '../mcp/message.ts'
import type { Tracing } from '../telemetry/tracing.ts'
import type { Passage, Stage } from './stage.ts'

export const classify =
  (tracing: Tracing | undefined): Stage =>
  (passage) => {
    const ask = askOf(passage, tracing)
    // Of the body nothing is left but text.
    if (passage.body) free(passage.body.bytes)
    if (!ask.ok) return ask.error
    passage.ask = ask.value
    return undefined
  }

const askOf = (passage: Passage, tracing: Tracing | undefined): Result<Ask, Fault> => {
  const { request, body } = passage
  if (request.method === 'GET') return ok({ kind: 'listen' })
  if (request.method === 'DELETE') return ok({ kind: 'delete' })
  const json = readJson(body?.bytes ?? Buffer.alloc(0))
  if (!json.ok) {
    return fail(fault('parse-error', `${json.error.reason} (at byte ${json.error.offset})`))
  }
  const { text, scanned } = json.value
  return scanned.kind === 'array'
    ? askBatch(json.value, passage, tracing)
    : askOne(text, scanned.object, passage, tracing)
}

const headersOf =
  ({ request }: Passage): HeaderOf =>
  (name) =>
    header(request, name)

const askOne = (
  text: string,
  envelope: JsonObject,
  passage: Passage,
  tracing: Tracing | undefined,
): Result<Ask, Fault> => {
  passage.idText = idOf(text, envelope)
  const read = readMessage(text, envelope)
  if (!read.ok) return fail(fault('invalid-request', read.error))
  const message = read.value
  const era = eraOf(message, headersOf(passage))
  const trace = tracing?.begin(passage, message, era.ok ? era.value : undefined)
  return era.ok ? ok({ kind: 'message', era: era.value, message, trace }) : era
}

/** The id that an answer to this body must bear, also where the body is refused (JSON-RPC 2.0, section 5). */
const idOf = (text: string, envelope: JsonObject): string | undefined => {
  const id = member(envelope, 'id')
  return id && member(envelope, 'method') && isIdentifier(text, id) ? slice(text, id) : undefined
}

const askBatch = (
  json: JsonText,
  passage: Passage,
  tracing: Tracing | undefined,
): Result<Ask, Fault> => {
  const messages = readBatch(json)
  if (!messages.ok) return fail(fault('invalid-request', messages.error))
  const headerOf = headersOf(passage)
  for (const message of messages.value) {
    const era = eraOf(message, headerOf)
    if (!era.ok) return era
    if (era.value === 'modern') {
      return fail(fault('invalid-request', 'a batch, which the modern era does not have'))
    }
  }
  const items = messages.value.map((message): Asked => ({
    message,
    trace: tracing?.begin(passage, message, 'legacy'),
  }))
  return ok({ kind: 'batch', items })
}
