// The stages of the pipeline, each a few lines over the parts that decide. `guard` and `audit` are
// pass-throughs: rate limits, breakers and the audit log are not built yet, and nothing pretends they are.

import { grant } from '../access/permit.ts'
import { ANONYMOUS } from '../access/principal.ts'
import type { Bridge } from '../routing/router.ts'
import type { Ask, Exchange } from '../http/exchange.ts'
import { header } from '../http/exchange.ts'
import { readBody } from '../http/body.ts'
import { headFault } from './head.ts'
import { originFault, type OriginRules } from './origin.ts'
import { readJson, type JsonText } from '../json/text.ts'
import { scan, type JsonObject } from '../json/scan.ts'
import { classify } from '../mcp/era.ts'
import type { HeaderOf } from '../mcp/header-value.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import {
  isIdentifier,
  member,
  oneMessage,
  readMessage,
  slice,
  type Message,
} from '../mcp/message.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Stages, Verdict } from './pipeline.ts'
import type { Tracing } from '../telemetry/tracing.ts'

type Batch = Extract<Ask, { kind: 'batch' }>

/** Most messages in one batch. */
const MAX_BATCH = 64

const limits = async (exchange: Exchange): Promise<Verdict> => {
  const { request } = exchange
  const wrong = headFault(request)
  if (wrong || request.method !== 'POST') return wrong
  const body = await readBody(request)
  if (body === undefined) return fault('invalid-request', 'the body broke off')
  if (!body.ok) return body.error
  exchange.body = body.value
  return undefined
}

const batch = ({ text, scanned }: JsonText): Result<readonly Message[], string> => {
  const items = scanned.kind === 'array' ? scanned.items : []
  if (items.length === 0) return fail('an empty batch')
  if (items.length > MAX_BATCH) return fail(`a batch of more than ${MAX_BATCH} messages`)
  const messages: Message[] = []
  for (const item of items) {
    const part = slice(text, item)
    const json = scan(part, false)
    const message = json.ok
      ? oneMessage({ text: part, scanned: json.value })
      : fail(json.error.reason)
    if (!message.ok) return message
    if (message.value.kind === 'request' && message.value.method === 'initialize') {
      return fail('initialize in a batch')
    }
    messages.push(message.value)
  }
  return ok(messages)
}

/** Body → what is asked. Everything after this sees the message, nothing sees the bytes. */
const understand = (exchange: Exchange, tracing: Tracing | undefined): Result<Ask, Fault> => {
  const { request, body } = exchange
  if (request.method === 'GET') return ok({ kind: 'listen' })
  if (request.method === 'DELETE') return ok({ kind: 'delete' })
  const json = readJson(body ?? Buffer.alloc(0))
  if (!json.ok) {
    return fail(fault('parse-error', `${json.error.reason} (at byte ${json.error.offset})`))
  }
  const headerOf = (name: string): string | undefined => header(request, name)
  const { text, scanned } = json.value
  if (scanned.kind === 'array') {
    const asked = askBatch(json.value, headerOf)
    if (asked.ok) tracing?.beginAll(exchange, asked.value.messages)
    return asked
  }
  return askOne(text, scanned.object, exchange, tracing)
}

const askOne = (
  text: string,
  envelope: JsonObject,
  exchange: Exchange,
  tracing: Tracing | undefined,
): Result<Ask, Fault> => {
  exchange.idText = idOf(text, envelope)
  const message = readMessage(text, envelope)
  if (!message.ok) return fail(fault('invalid-request', message.error))
  const era = classify(message.value, (name) => header(exchange.request, name))
  tracing?.begin(exchange, message.value, era.ok ? era.value : undefined)
  return era.ok ? ok({ kind: 'message', era: era.value, message: message.value }) : era
}

/** The id that an answer to this body must bear, also where the body is refused (JSON-RPC 2.0, section 5). */
const idOf = (text: string, envelope: JsonObject): string | undefined => {
  const id = member(envelope, 'id')
  return id && member(envelope, 'method') && isIdentifier(text, id) ? slice(text, id) : undefined
}

const askBatch = (json: JsonText, headerOf: HeaderOf): Result<Batch, Fault> => {
  const messages = batch(json)
  if (!messages.ok) return fail(fault('invalid-request', messages.error))
  for (const message of messages.value) {
    const era = classify(message, headerOf)
    if (!era.ok) return era
    if (era.value === 'modern') {
      return fail(fault('invalid-request', 'a batch, which the modern era does not have'))
    }
  }
  return ok({ kind: 'batch', messages: messages.value })
}

export interface StageOptions {
  readonly rules: OriginRules
  readonly bridge: Bridge
  readonly tracing?: Tracing | undefined
}

export const createStages = ({ rules, bridge, tracing }: StageOptions): Stages => ({
  origin: ({ request }) => originFault(rules, request.headers, request.rawHeaders),
  limits,
  classify: (exchange) => {
    const ask = understand(exchange, tracing)
    if (!ask.ok) return ask.error
    exchange.ask = ask.value
    exchange.body = undefined
    return undefined
  },
  // The only configuration that starts is `auth: none` (the programs refuse the others until they are built).
  authenticate: (exchange) => {
    exchange.principal = ANONYMOUS
    return undefined
  },
  authorize: (exchange) => {
    if (exchange.principal === undefined) return fault('unauthenticated', 'nobody is known to call')
    exchange.permit = grant(exchange.principal)
    return undefined
  },
  guard: () => undefined,
  forward: (exchange) => {
    const { permit, ask } = exchange
    if (permit === undefined || ask === undefined) return fault('internal', 'no permit')
    return bridge.forward(permit, exchange, ask)
  },
  audit: () => undefined,
})
