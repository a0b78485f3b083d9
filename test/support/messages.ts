// JSON-RPC messages for unit tests, from their JSON text, as the bridge reads them.

import type { Asked } from '../../sidecar/conversation/ask.ts'
import { readJson } from '../../sidecar/json/text.ts'
import {
  oneMessage,
  type Message,
  type Notification,
  type Request,
} from '../../sidecar/mcp/message.ts'
import { fail, type Result } from '../../shared/result.ts'

/** What the bridge makes of a body; the error says why it refuses. */
export const read = (body: string): Result<Message, string> => {
  const json = readJson(Buffer.from(body))
  return json.ok ? oneMessage(json.value) : fail(json.error.reason)
}

/** A message that must be one. */
export const aMessage = (body: string): Message => {
  const message = read(body)
  if (!message.ok) throw new Error(`${body}: ${message.error}`)
  return message.value
}

/** The same as what a client asks, untraced. */
export const anAsked = (body: string): Asked => ({ message: aMessage(body), trace: undefined })

export const aNotification = (body: string): Notification => {
  const message = aMessage(body)
  if (message.kind !== 'notification') throw new Error(`${body} is a ${message.kind}`)
  return message
}

export const aRequest = (body: string): Request => {
  const message = aMessage(body)
  if (message.kind !== 'request') throw new Error(`${body} is a ${message.kind}`)
  return message
}
