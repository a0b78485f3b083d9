// Sends an answer, and knows when it has been taken. What is large goes in two parts, the last when the first has gone out:
// while an answer that its reader has whole is still being written, Node pauses the connection at the head of the next
// request, takes the rest of that for an error of HTTP, and resets the connection under it.

import type { ServerResponse } from 'node:http'
import type { JsonObject } from '../shared/json.ts'

/** Beyond that it goes in two parts; far below what a connection buffers before it counts as full. */
const LARGE_BYTES = 16 * 1024
const LAST_BYTES = 1024
/** API servers wait for less: after so long nobody reads it any more, and what it holds is let go. */
const SEND_MS = 10_000

/** Writes some of it; resolves when the system has taken it, or never will. */
const written = (response: ServerResponse, bytes: Uint8Array): Promise<void> =>
  new Promise((resolve) => void response.write(bytes, () => resolve()))

const write = async (response: ServerResponse, bytes: Uint8Array): Promise<void> => {
  if (bytes.length > LARGE_BYTES) await written(response, bytes.subarray(0, -LAST_BYTES))
  response.end(bytes.length > LARGE_BYTES ? bytes.subarray(-LAST_BYTES) : bytes)
}

/** Resolves when the whole answer has been taken, or its reader is gone. */
export const sendAnswer = async (
  response: ServerResponse,
  document: JsonObject,
  sendMs = SEND_MS,
): Promise<void> => {
  // Its reader has left already.
  if (response.destroyed) return
  const bytes = Buffer.from(JSON.stringify(document))
  const closed = new Promise<void>((resolve) => void response.once('close', resolve))
  const timer = setTimeout(() => response.destroy(), sendMs)
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length })
  void write(response, bytes)
  await closed
  clearTimeout(timer)
}
