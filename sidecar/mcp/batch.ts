// A JSON-RPC batch, as one revision has them (2025-03-26): its messages, each read as if it had come alone. Pure.

import { fail, ok, type Result } from '../../shared/result.ts'
import { scan, type JsonObject } from '../json/scan.ts'
import type { JsonText } from '../json/text.ts'
import { slice, type Message } from './message.ts'

/** Most messages in one batch. */
export const MAX_BATCH = 64

/** The messages of a scanned text that is an array, as `read` reads one of them; the error names the fault. */
export const readBatch = (
  { text, scanned }: JsonText,
  read: (text: string, envelope: JsonObject) => Result<Message, string>,
): Result<readonly Message[], string> => {
  const items = scanned.kind === 'array' ? scanned.items : []
  if (items.length === 0) return fail('an empty batch')
  if (items.length > MAX_BATCH) return fail(`a batch of more than ${MAX_BATCH} messages`)
  const messages: Message[] = []
  for (const item of items) {
    const part = slice(text, item)
    const json = scan(part, false)
    if (!json.ok) return fail(json.error.reason)
    if (json.value.kind === 'array') return fail('a batch within a batch')
    const message = read(part, json.value.object)
    if (!message.ok) return message
    if (message.value.kind === 'request' && message.value.method === 'initialize') {
      return fail('initialize in a batch')
    }
    messages.push(message.value)
  }
  return ok(messages)
}
