// What the channel reads in an answer, and what it puts there. Pure.

import { oneLine } from '../../shared/one-line.ts'
import { quoted, type JsonObject } from '../json/scan.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import { member, slice, stringAt, type Response } from '../mcp/message.ts'
import { SUBSCRIPTION_KEY } from '../mcp/meta.ts'
import { ownNumberInAnySpelling } from '../mcp/own-id.ts'
import { rewrite, type Edit } from '../mcp/rewrite.ts'
import type { Call } from './call.ts'

const METHOD_NOT_FOUND = '-32601'
const MAX_SAID = 200
/** Answers that are read here, and read whole: what decides about tools must say the same to everybody. */
const READ_WHOLE: ReadonlySet<string> = new Set(['initialize', 'server/discover', 'tools/list'])

export const isReadWhole = (method: string): boolean => READ_WHOLE.has(method)

/** Puts the caller's id into a response, also into one that has none. */
export const idEdit = ({ envelope }: Response, idText: string): Edit => {
  const id = member(envelope, 'id')
  const start = envelope.start + 1
  return id
    ? { start: id.start, end: id.end, text: idText }
    : { start, end: start, text: `"id":${idText},` }
}

/** The whole response under its caller's id. */
export const answerText = (response: Response, call: Pick<Call, 'id' | 'idText'>): string => {
  const edits = [idEdit(response, call.idText)]
  const place = subscriptionIn(response.result?.object)
  if (place && ownNumberInAnySpelling(slice(response.text, place)) === call.id) {
    edits.push({ start: place.start, end: place.end, text: call.idText })
  }
  return rewrite(response.text, edits)
}

export const twiceFault = (method: string, twin: string): Fault =>
  fault(
    'unusable-answer',
    `the server's answer to ${method} cannot be used: the member name ${quoted(twin)} stands twice in an object, and readers differ in which they take`,
  )

const codeOf = ({ text, error }: Response): string | undefined => {
  const code = member(error?.object, 'code')
  return code && code.end - code.start <= 11 ? slice(text, code) : undefined
}

/** The error code, or `tool_error` for a tool result that says so (OpenTelemetry MCP conventions). */
export const errorType = (response: Response): string | undefined => {
  const { text, error, result } = response
  if (error) return codeOf(response) ?? '_OTHER'
  const isError = member(result?.object, 'isError')
  return isError && slice(text, isError) === 'true' ? 'tool_error' : undefined
}

export const errorMessage = ({ text, error }: Response): string | undefined =>
  stringAt(text, member(error?.object, 'message'))

export const subscriptionIn = (object: JsonObject | undefined): ReturnType<typeof member> =>
  member(member(object, '_meta')?.object, SUBSCRIPTION_KEY)

/** What an error says, cut and on one line. */
export const saidIn = (response: Response): string =>
  oneLine(errorMessage(response) ?? '').slice(0, MAX_SAID)

/** Whether an error without an id may be about a notification: servers that know no such thing answer so. */
export const mayBeAboutNotification = (response: Response): boolean =>
  codeOf(response) === METHOD_NOT_FOUND || saidIn(response).includes('notification')
