// The body of a POST, bounded. Beyond the bound nothing is kept; what is still to come is `unread.ts`'s.

import type { IncomingMessage } from 'node:http'
import { fail, ok, type Result } from '../../shared/result.ts'
import { Whole } from '../bytes/whole.ts'
import { fault, type Fault } from '../mcp/faults.ts'

/** Longest body, bytes. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024

const tooLarge = (): Result<never, Fault> =>
  fail(fault('body-too-large', `the body is longer than ${MAX_BODY_BYTES} bytes`))

/** Reads the whole body; the fault is for the client. Undefined where the client has gone. */
export const readBody = (request: IncomingMessage): Promise<Result<Buffer, Fault> | undefined> =>
  new Promise((resolve) => {
    request.on('error', () => resolve(undefined))
    request.on('close', () => resolve(undefined))
    if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) {
      resolve(tooLarge())
      return
    }
    const body = new Whole(MAX_BODY_BYTES)
    const onData = (chunk: Buffer): void => {
      if (body.add(chunk)) return
      request.off('data', onData)
      request.off('end', onEnd)
      resolve(tooLarge())
    }
    const onEnd = (): void => resolve(ok(body.take()))
    request.on('data', onData)
    request.on('end', onEnd)
  })
