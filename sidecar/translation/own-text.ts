// Texts that we make ourselves, of messages or for them: latin1, as messages are. Pure.

import { readJson } from '../json/text.ts'
import { oneMessage, type Message } from '../mcp/message.ts'

/** A value as JSON. */
export const jsonText = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString('latin1')

/** A part of a text, by itself: else it would keep the whole of that. */
export const apart = (part: string): string => Buffer.from(part, 'latin1').toString('latin1')

/** Of a message, read again; undefined where it is none, which would be our fault. */
export const readAgain = (text: string): Message | undefined => {
  const json = readJson(Buffer.from(text, 'latin1'))
  const message = json.ok ? oneMessage(json.value) : undefined
  return message?.ok === true ? message.value : undefined
}
