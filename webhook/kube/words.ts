// What went wrong between us and the API server, in one line for a log or a terminal: the client's own messages are a
// whole HTTP exchange, or "fetch failed" with the reason in their cause. Pure.

import { connectionWords } from '../../shared/connection-words.ts'
import { isObject, stringAt } from '../../shared/json.ts'
import { messageOf, placedMessageOf, subjectOf } from '../../shared/message.ts'

const MAX_CHARS = 500

const line = (text: string): string => text.replaceAll(/\s+/g, ' ').trim().slice(0, MAX_CHARS)

const parsed = (body: string): unknown => {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

/** The message of a Status, which the API server sends with what it refuses. */
const statusMessage = (body: unknown): string => {
  const status = typeof body === 'string' ? parsed(body) : body
  return isObject(status) ? (stringAt(status, 'message') ?? '') : ''
}

const answered = (code: number, body: unknown): string => {
  const why = statusMessage(body)
  const hint = code === 401 && why === '' ? 'it does not know these credentials' : why
  return line(`the API server answered ${code}${hint === '' ? '' : `: ${hint}`}`)
}

/** Why the cluster did not do what was asked. */
export const clusterWords = (error: unknown): string => {
  if (typeof error !== 'object' || error === null) return line(messageOf(error))
  if ('code' in error && typeof error.code === 'number' && 'body' in error) {
    return answered(error.code, error.body)
  }
  if (messageOf(error) !== 'fetch failed' || !('cause' in error))
    return line(placedMessageOf(error))
  const host = subjectOf(error.cause)
  const where = host === '' ? '' : ` at ${host}`
  return line(`the API server${where} cannot be reached: ${connectionWords(error.cause)}`)
}
