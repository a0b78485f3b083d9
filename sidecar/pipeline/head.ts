// What the head of an HTTP request must look like before anything else is read. Pure.

import type { IncomingMessage } from 'node:http'
import { MAX_HEADERS } from '../http/exchange.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import type { Remarks, Tolerance } from '../mcp/tolerance.ts'
import { BOTH, replyForm, takesStream } from './accept.ts'
import type { Stage } from './stage.ts'

type Head = Pick<IncomingMessage, 'method' | 'headers' | 'rawHeaders' | 'httpVersion'>

const IDENTITY = 'identity'

/** Headers that mean something once: of two, we might believe the one and a proxy the other. */
const SINGLE = new Set([
  'authorization',
  'content-encoding',
  'content-length',
  'content-type',
  'dpop',
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

const JSON_TYPE = /^application\/json\s*(?:;([^,]*))?$/i
const PLAIN_TYPE = /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i
/** Names of what is UTF-8, or a part of it. */
const CHARSET = /^charset\s*=\s*"?(?:utf-?8|us-ascii)"?$/i

/** Whether a type is JSON in UTF-8; it has no parameters that mean anything (RFC 8259, section 11). */
const isJson = (type: string): boolean => {
  const [all, parameters = ''] = JSON_TYPE.exec(type) ?? []
  if (all === undefined) return false
  const charsets = parameters.split(';').filter((part) => /^\s*charset\b/i.test(part))
  return charsets.every((part) => CHARSET.test(part.trim()))
}

const METHODS = new Set(['POST', 'GET', 'DELETE'])

/** Somebody on its way may have taken its body for another; the connection ends with the answer. */
const isFramedWrong = ({ httpVersion, headers }: Head): boolean =>
  httpVersion === '1.0' && headers['transfer-encoding'] !== undefined

/** What is wrong with the head of a request; undefined where it may pass. */
export const headFault = (request: Head): Fault | undefined => {
  const { method, headers } = request
  if (!METHODS.has(method ?? '')) {
    return fault('method-not-allowed', 'use POST, GET or DELETE', {
      headers: { allow: 'POST, GET, DELETE' },
    })
  }
  if (request.rawHeaders.length >= 2 * MAX_HEADERS) {
    return fault('invalid-request', `${MAX_HEADERS} headers or more`)
  }
  if (isFramedWrong(request)) {
    return fault('invalid-request', 'HTTP/1.0 has no Transfer-Encoding (RFC 9112, section 6.1)')
  }
  const twice = repeated(request)
  if (twice !== undefined) return fault('invalid-request', `the ${twice} header came twice`)
  if (method === 'POST') return postFault(headers)
  if (hasBody(headers)) return fault('invalid-request', `a ${method} has no body`)
  return method === 'DELETE' || takesStream(headers.accept)
    ? undefined
    : fault('not-acceptable', 'Accept must list text/event-stream')
}

const postFault = (headers: IncomingMessage['headers']): Fault | undefined => {
  const { accept } = headers
  if (accept !== BOTH && replyForm(accept) === undefined) {
    return fault(
      'not-acceptable',
      `Accept must list ${BOTH.replace(',', ' or')}; clients list both`,
    )
  }
  const type = headers['content-type'] ?? ''
  if (type !== 'application/json' && !isJson(type)) {
    return fault('media-type', 'Content-Type must be application/json (UTF-8)')
  }
  const coding = headers['content-encoding'] ?? IDENTITY
  if (coding.toLowerCase() !== IDENTITY) {
    return fault('media-type', 'Content-Encoding is not supported')
  }
  return /^chunked$/i.test(headers['transfer-encoding'] ?? 'chunked')
    ? undefined
    : fault('media-type', 'Transfer-Encoding may only be chunked')
}

/** What of a POST's head is off in form. */
const oddities = ({ headers }: Head): readonly Tolerance[] => {
  const odd: Tolerance[] = []
  const { accept } = headers
  const form = replyForm(accept)
  if (accept === undefined) odd.push('accept-missing')
  else if (form !== undefined && form !== 'either') odd.push(`accept-${form}`)
  if (!PLAIN_TYPE.test(headers['content-type'] ?? '')) odd.push('content-type')
  if (headers['content-encoding'] !== undefined) odd.push('content-encoding')
  return odd
}

const isUsual = (headers: IncomingMessage['headers']): boolean =>
  headers.accept === BOTH &&
  headers['content-type'] === 'application/json' &&
  headers['content-encoding'] === undefined

/** Nothing can be meant by them without a value: no version, no event. */
const MAY_BE_EMPTY = ['mcp-protocol-version', 'last-event-id'] as const

const dropEmpty = ({ headers }: Head, remarks: Remarks): void => {
  for (const name of MAY_BE_EMPTY) {
    if (headers[name] !== '') continue
    delete headers[name]
    remarks.tolerated('empty-header')
  }
}

export const head =
  (remarks: Remarks): Stage =>
  ({ request, reply }) => {
    const wrong = headFault(request)
    if (wrong) {
      if (isFramedWrong(request)) reply.header('connection', 'close')
      return wrong
    }
    dropEmpty(request, remarks)
    if (request.method !== 'POST' || isUsual(request.headers)) return undefined
    reply.form = replyForm(request.headers.accept) ?? 'either'
    for (const what of oddities(request)) remarks.tolerated(what)
    return undefined
  }
