// The body of a POST, bounded. What is beyond the bound is not kept but, within reason, still read before the answer:
// a client that is answered and cut off while it writes never sees the answer.

import type { IncomingMessage } from 'node:http'
import { fail, ok, type Result } from '../../shared/result.ts'
import { Whole } from '../bytes/whole.ts'
import { fault, type Fault } from '../mcp/faults.ts'

/** Longest body, bytes. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024
/** Read beyond the bound and thrown away; with more the connection is cut. */
const MAX_DISCARDED_BYTES = 32 * 1024 * 1024

const tooLarge = (headers: Readonly<Record<string, string>>): Result<never, Fault> =>
  fail(fault('body-too-large', `the body is longer than ${MAX_BODY_BYTES} bytes`, { headers }))

/** Throws away what is still to come, then refuses it. */
const discard = (
  request: IncomingMessage,
  resolve: (refused: Result<never, Fault>) => void,
): void => {
  let left = MAX_DISCARDED_BYTES
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left >= 0) return
    request.pause()
    resolve(tooLarge({ connection: 'close' }))
  })
  request.on('end', () => resolve(tooLarge({})))
}

/** Reads the whole body; the fault is for the client. Undefined where the client has gone. */
export const readBody = (request: IncomingMessage): Promise<Result<Buffer, Fault> | undefined> =>
  new Promise((resolve) => {
    request.on('error', () => resolve(undefined))
    request.on('close', () => resolve(undefined))
    if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) {
      discard(request, resolve)
      return
    }
    const body = new Whole(MAX_BODY_BYTES)
    const onData = (chunk: Buffer): void => {
      if (body.add(chunk)) return
      request.off('data', onData)
      request.off('end', onEnd)
      discard(request, resolve)
    }
    const onEnd = (): void => resolve(ok(body.take()))
    request.on('data', onData)
    request.on('end', onEnd)
  })
