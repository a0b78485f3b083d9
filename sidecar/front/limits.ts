// What an HTTP request must look like before its body is read, and the body itself, bounded.

import type { IncomingMessage } from 'node:http'
import { fail, ok, type Result } from '../../shared/result.ts'
import { fault, type Fault } from '../mcp/faults.ts'

/** Longest body, bytes. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024

const JSON_TYPE = /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i

const accepts = (accept: string | undefined, type: string): boolean =>
  accept !== undefined &&
  accept.split(',').some((range) => {
    const [media = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const isRefused = parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))
    return !isRefused && (media === type || media === '*/*' || media === `${type.split('/')[0]}/*`)
  })

const BOTH = 'application/json, text/event-stream'

/** What is wrong with the headers of a POST or GET; undefined where they may pass. */
export const headFault = ({ method, headers }: IncomingMessage): Fault | undefined => {
  if (method === 'POST') return postFault(headers)
  return method !== 'GET' || accepts(headers.accept, 'text/event-stream')
    ? undefined
    : fault('not-acceptable', 'Accept must list text/event-stream')
}

const postFault = (headers: IncomingMessage['headers']): Fault | undefined => {
  const { accept } = headers
  if (
    accept !== BOTH &&
    !(accepts(accept, 'application/json') && accepts(accept, 'text/event-stream'))
  ) {
    return fault('not-acceptable', `Accept must list both ${BOTH.replace(',', ' and')}`)
  }
  const type = headers['content-type'] ?? ''
  if (type !== 'application/json' && !JSON_TYPE.test(type)) {
    return fault('media-type', 'Content-Type must be application/json (UTF-8)')
  }
  return headers['content-encoding'] === undefined
    ? undefined
    : fault('media-type', 'Content-Encoding is not supported')
}

const tooLarge = (): Result<never, Fault> =>
  fail(
    fault('body-too-large', `the body is longer than ${MAX_BODY_BYTES} bytes`, {
      headers: { connection: 'close' },
    }),
  )

/** Reads the whole body; the fault is for the client. Undefined where the client has gone. */
export const readBody = (request: IncomingMessage): Promise<Result<Buffer, Fault> | undefined> =>
  new Promise((resolve) => {
    if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) {
      resolve(tooLarge())
      return
    }
    const chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= MAX_BODY_BYTES) chunks.push(chunk)
      else {
        request.pause()
        resolve(tooLarge())
      }
    })
    request.on('end', () => {
      const [only] = chunks
      resolve(ok(chunks.length === 1 && only ? only : Buffer.concat(chunks)))
    })
    request.on('error', () => resolve(undefined))
    request.on('close', () => resolve(undefined))
  })
