// What is still to come of a request that is refused before its body has been read. Within reason it is read and thrown
// away: a client that is cut off while it writes never sees its answer.

import type { IncomingMessage } from 'node:http'
import { readOneATurn } from './pace.ts'
import type { Reply } from './reply.ts'

/**
 * Read and thrown away, of a caller who is known and of others; with more the connection is cut. Its time is the listener's
 * for any request. A stranger may be a client whose token has just expired: it must read so behind a request of the usual
 * largest size, 4 MiB.
 */
const MAX_DISCARDED_BYTES = 32 * 1024 * 1024
const MAX_OF_STRANGERS_BYTES = 5 * 1024 * 1024

/**
 * Answers at once where the connection lives on, else when the rest has come. Who asked by `Expect: 100-continue`
 * whether to send a body may send it all the same or not (RFC 9110, section 10.1.1): nobody could tell it from a next
 * request, so the connection ends.
 */
export const answerUnread = (
  request: IncomingMessage,
  reply: Reply,
  answer: () => void,
  isKnown = false,
): void => {
  const isAsking = request.headers.expect !== undefined && !reply.hasContinued
  if (isAsking) reply.header('connection', 'close')
  const isLate = !request.complete && !isAsking && !reply.keepsConnection
  if (!isLate) answer()
  if (request.complete || isAsking) return
  let left = isKnown ? MAX_DISCARDED_BYTES : MAX_OF_STRANGERS_BYTES
  const discard = (chunk: Buffer): void => {
    left -= chunk.length
    if (left >= 0) {
      readOneATurn(request)
      return
    }
    request.off('data', discard)
    request.off('end', end)
    end()
    request.socket.destroySoon()
  }
  const end = (): void => {
    if (isLate) answer()
  }
  request.on('data', discard)
  request.on('end', end)
}
