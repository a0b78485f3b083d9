// A transcript without what only one era has a word for: what a client hears of a legacy server must be the same through
// its translation, but for that.

import { z } from 'zod'
import { isObject } from '../../shared/json.ts'
import { REVISION, type Step } from './transcript.ts'

/** The modern era's alone: of a result, and of its `_meta`. */
const OF_RESULTS = new Set(['resultType', 'ttlMs', 'cacheScope'])
const OF_META = new Set(['io.modelcontextprotocol/serverInfo'])
/** The legacy era's alone: capabilities, parts of one, a part of a tool, a question. */
const CAPABILITIES = new Set(['tasks'])
const LISTENING = new Set(['listChanged', 'subscribe'])
const OF_TOOLS = new Set(['execution'])
const PING = 'ping'
/** By error code of the legacy era, that of the modern one. */
const CODES: ReadonlyMap<unknown, number> = new Map([[-32_002, -32_602]])

type Members = Readonly<Record<string, unknown>>

/** What is absent and what is null are the same to every client. */
const without = (value: Members, names: ReadonlySet<string>): Members =>
  Object.fromEntries(
    Object.entries(value).filter(
      ([name, one]) => !names.has(name) && one !== null && one !== undefined,
    ),
  )

const each = (value: unknown, change: (one: Members) => Members): unknown =>
  Array.isArray(value) ? value.map((one) => (isObject(one) ? change(one) : one)) : value

const ofMeta = (result: Members): Members => {
  const { _meta: meta, ...rest } = result
  const kept = isObject(meta) ? without(meta, OF_META) : {}
  return Object.keys(kept).length === 0 ? rest : { ...rest, _meta: kept }
}

const resultIn = (value: unknown): unknown => {
  if (!isObject(value)) return value
  const result = ofMeta(without(value, OF_RESULTS))
  return 'tools' in result
    ? { ...result, tools: each(result['tools'], (tool) => without(tool, OF_TOOLS)) }
    : result
}

const capability = (value: unknown): unknown =>
  isObject(value) ? without(value, LISTENING) : value

/** What a client says of its server: of its capabilities what both have, of its protocol version nothing. */
const saidOf = (value: unknown): unknown => {
  if (!Array.isArray(value)) return value
  const said = value.filter((one) => typeof one !== 'string' || !REVISION.test(one))
  return each(said, (one) =>
    Object.fromEntries(
      Object.entries(without(one, CAPABILITIES)).map(([name, part]) => [name, capability(part)]),
    ),
  )
}

/** Of an HTTP status of failure, which some errors have in the modern era, client 2.x has the whole answer in its words. */
const BODY = /^Error POSTing to endpoint: (\{.*\})$/s
const failure = z.object({ code: z.unknown(), message: z.string() })
const body = z.object({ error: failure })

const errorIn = (value: unknown): unknown => {
  const read = failure.safeParse(value)
  if (!read.success) return value
  const [, text] = BODY.exec(read.data.message) ?? []
  const { code, message } = text === undefined ? read.data : body.parse(JSON.parse(text)).error
  return { code: CODES.get(code) ?? code, message }
}

export const inBothEras = (steps: readonly Step[]): readonly Step[] =>
  steps
    .filter(({ step }) => step !== PING)
    .map((one) => {
      if ('error' in one) return { step: one.step, error: errorIn(one.error) }
      const { step, result } = one
      return { step, result: step === 'initialize' ? saidOf(result) : resultIn(result) }
    })
