// What the head of an HTTP request must look like before anything else is read. Pure.

import type { IncomingMessage } from 'node:http'
import { fault, type Fault } from '../mcp/faults.ts'
import type { Stage } from './stage.ts'

type Head = Pick<IncomingMessage, 'method' | 'headers' | 'rawHeaders'>

/** Headers that mean something once: of two, we might believe the one and a proxy the other. */
const SINGLE = new Set([
  'authorization',
  'content-encoding',
  'content-length',
  'content-type',
  'last-event-id',
  'transfer-encoding',
])

const isSingle = (name: string): boolean => SINGLE.has(name) || name.startsWith('mcp-')

/** The first such header that came twice; node joins some and drops others without a word. */
const repeated = ({ headers, rawHeaders }: Head): string | undefined => {
  if (Object.keys(headers).length * 2 === rawHeaders.length) return undefined
  const seen = new Set<string>()
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? ''
    if (isSingle(name) && seen.has(name)) return name
    seen.add(name)
  }
  return undefined
}

const hasBody = (headers: IncomingMessage['headers']): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0

const JSON_TYPE = /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i

const accepts = (accept: string | undefined, type: string): boolean =>
  accept !== undefined &&
  accept.split(',').some((range) => {
    const [media = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const isRefused = parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))
    return !isRefused && (media === type || media === '*/*' || media === `${type.split('/')[0]}/*`)
  })

const BOTH = 'application/json, text/event-stream'

const METHODS = new Set(['POST', 'GET', 'DELETE'])

/** What is wrong with the head of a request; undefined where it may pass. */
export const headFault = (request: Head): Fault | undefined => {
  const { method, headers } = request
  if (!METHODS.has(method ?? '')) {
    return fault('method-not-allowed', 'use POST, GET or DELETE', {
      headers: { allow: 'POST, GET, DELETE' },
    })
  }
  const twice = repeated(request)
  if (twice !== undefined) return fault('invalid-request', `the ${twice} header came twice`)
  if (method === 'POST') return postFault(headers)
  if (hasBody(headers)) return fault('invalid-request', `a ${method} has no body`)
  return method === 'DELETE' || accepts(headers.accept, 'text/event-stream')
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
  if (headers['content-encoding'] !== undefined) {
    return fault('media-type', 'Content-Encoding is not supported')
  }
  return /^chunked$/i.test(headers['transfer-encoding'] ?? 'chunked')
    ? undefined
    : fault('media-type', 'Transfer-Encoding may only be chunked')
}

export const head: Stage = ({ request }) => headFault(request)
