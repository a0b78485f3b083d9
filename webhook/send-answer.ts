// Sends an answer, and knows when it has been taken: until then it takes room, and not for ever.

import type { ServerResponse } from 'node:http'
import type { JsonObject } from '../shared/json.ts'

/** API servers wait for less: after so long nobody reads it any more, and what it holds is let go. */
const SEND_MS = 10_000

/** Resolves when the whole answer has been taken, its reader is gone, or its time is over. */
export const sendAnswer = async (
  response: ServerResponse,
  document: JsonObject,
  sendMs = SEND_MS,
): Promise<void> => {
  // Its reader has left already.
  if (response.destroyed) return
  const bytes = Buffer.from(JSON.stringify(document))
  const { promise: over, resolve } = Promise.withResolvers<void>()
  response.once('close', () => resolve())
  const timer = setTimeout(() => {
    response.destroy()
    // One behind another on its connection need not tell of its end: it has no socket yet.
    resolve()
  }, sendMs)
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length })
  response.end(bytes)
  await over
  clearTimeout(timer)
}
