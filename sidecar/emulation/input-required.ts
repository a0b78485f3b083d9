// What a modern server asks of its client in the place of an answer (2026-07-28, multi round-trip requests), as requests of
// the server's in the legacy era. Pure.

import { fail, ok, type Result } from '../../shared/result.ts'
import { scan } from '../json/scan.ts'
import { member, slice, stringAt, type Request, type Response } from '../mcp/message.ts'
import { rewrite } from '../mcp/rewrite.ts'
import { missingFor, type Capabilities } from '../translation/capabilities.ts'
import { apart, readAgain } from '../translation/own-text.ts'
import { inFront } from './modern-request.ts'

/** Most questions of one answer, most bytes of them, and of the state. */
const MOST = 16
const MAX_BYTES = 1024 * 1024
const TOO_LONG = `it is longer than ${MAX_BYTES} bytes`

export interface Question {
  /** What the server calls it. */
  readonly key: string
  /** Our id of it. */
  readonly id: number
  readonly request: Request
}

export interface Required {
  readonly questions: readonly Question[]
  /** JSON text; undefined where there is none. */
  readonly state: string | undefined
}

export interface Terms {
  /** What the client can be asked for. */
  readonly capabilities: Capabilities
  readonly nextId: () => number
}

/** Undefined where it is complete; else what is to be done. */
export const resultTypeOf = ({ text, result }: Response): string | undefined => {
  const place = member(result?.object, 'resultType')
  if (!place) return undefined
  const said = stringAt(text, place) ?? ''
  return said === 'complete' ? undefined : said
}

/** A member of an object: its name, and its text. */
type Said = readonly [name: string, text: string]

const membersIn = (text: string): Result<readonly Said[], string> => {
  const scanned = text.startsWith('{') ? scan(text, false) : undefined
  if (!scanned?.ok || scanned.value.kind === 'array') return fail('an object is missing')
  return ok(scanned.value.object.members.map((one) => [one.name, slice(text, one)] as const))
}

/** Who is asked by a URL has to be able to tell questions apart (2025-11-25, elicitation). */
const withElicitationId = (request: Request, id: number): Request => {
  const { text, params, method } = request
  const isByUrl =
    method === 'elicitation/create' && stringAt(text, member(params, 'mode')) === 'url'
  if (!isByUrl || !params || member(params, 'elicitationId')) return request
  const again = readAgain(rewrite(text, [inFront(params, `"elicitationId":"${id}"`)]))
  return again?.kind === 'request' ? again : request
}

const requestIn = (text: string, id: number): Request | undefined => {
  const members = membersIn(text)
  const found = new Map(members.ok ? members.value : [])
  const method = found.get('method')
  const params = found.get('params')
  const said = params === undefined ? '' : `,"params":${params}`
  const message =
    method === undefined
      ? undefined
      : readAgain(`{"jsonrpc":"2.0","id":${id},"method":${method}${said}}`)
  return message?.kind === 'request' ? withElicitationId(message, id) : undefined
}

const questionIn = (
  key: string,
  text: string,
  { capabilities, nextId }: Terms,
): Result<Question, string> => {
  const id = nextId()
  const request = requestIn(text, id)
  if (!request) return fail('a question cannot be read')
  const { method } = request
  const missing = missingFor(request, capabilities)
  if (missing === 'unknown') return fail(`no client can be asked for ${method}`)
  return missing
    ? fail(`the server asks for ${method}, and the client has not declared that it can be`)
    : ok({ key, id, request })
}

const stateIn = ({ text, result }: Response): Result<string | undefined, string> => {
  const place = member(result?.object, 'requestState')
  if (!place) return ok(undefined)
  if (place.end - place.start > MAX_BYTES) return fail(TOO_LONG)
  const state = slice(text, place)
  return state.startsWith('"') ? ok(apart(state)) : fail('its requestState is no string')
}

const askedIn = ({ text, result }: Response): Result<readonly Said[], string> => {
  const place = member(result?.object, 'inputRequests')
  if (!place) return ok([])
  if (place.end - place.start > MAX_BYTES) return fail(TOO_LONG)
  const members = membersIn(slice(text, place))
  if (!members.ok) return fail(`inputRequests: ${members.error}`)
  return members.value.length > MOST
    ? fail(`it asks for more than ${MOST} things at once`)
    : members
}

/** The error says why nobody can be asked. */
export const requiredIn = (response: Response, terms: Terms): Result<Required, string> => {
  const state = stateIn(response)
  if (!state.ok) return state
  const asked = askedIn(response)
  if (!asked.ok) return asked
  if (asked.value.length === 0 && state.value === undefined) return fail('it asks for nothing')
  const questions: Question[] = []
  for (const [key, said] of asked.value) {
    const question = questionIn(key, said, terms)
    if (!question.ok) return question
    questions.push(question.value)
  }
  return ok({ questions, state: state.value })
}

/** What the next request brings: the answers by the server's names, JSON text both, and its state as it came. */
export const broughtText = (
  answers: readonly (readonly [name: string, text: string])[],
  state: string | undefined,
): string => {
  const said = answers.map(([name, text]) => `${name}:${text}`).join(',')
  const parts = [
    ...(answers.length === 0 ? [] : [`"inputResponses":{${said}}`]),
    ...(state === undefined ? [] : [`"requestState":${state}`]),
  ]
  return parts.join(',')
}
