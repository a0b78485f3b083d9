// What the proxy itself answers over HTTP: a code for programs in a field of its own, and a sentence. Nothing to whom nobody knows.

import type { ServerResponse } from 'node:http'
import type { Refusal } from '../reach/judge.ts'
import type { Why } from '../reach/why.ts'

const REASON_HEADER = 'X-Outrigger-Egress'

const FORBIDDEN = 403
const STATUSES: Readonly<Partial<Record<Why, number>>> = {
  malformed: 400,
  connections: 503,
  records: 503,
  unresolved: 502,
  unreachable: 502,
  parent: 502,
  answer: 502,
  late: 504,
}

const PHRASES: Readonly<Record<number, string>> = {
  200: 'Connection established',
  400: 'Bad Request',
  403: 'Forbidden',
  407: 'Proxy Authentication Required',
  431: 'Request Header Fields Too Large',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
}

export interface Answer {
  readonly status: number
  readonly fields: Readonly<Record<string, string>>
  readonly body: string
}

const answerOf = (
  status: number,
  fields: Readonly<Record<string, string>>,
  words: string,
): Answer => ({ status, fields, body: words === '' ? '' : `outrigger: ${words}\n` })

export const refusalAnswer = ({ why, words }: Refusal): Answer =>
  answerOf(STATUSES[why] ?? FORBIDDEN, { [REASON_HEADER]: why }, words)

/** RFC 9110, section 11.7.1. */
export const UNKNOWN: Answer = answerOf(
  407,
  { 'Proxy-Authenticate': 'Basic realm="outrigger"' },
  'the proxy wants the credentials of its URL',
)

/** Of what the parser did not take. */
export const unread = (code: string): Answer =>
  answerOf(code === 'HPE_HEADER_OVERFLOW' ? 431 : 400, {}, '')

export const CONNECTED = 'HTTP/1.1 200 Connection established\r\n\r\n'

const fieldsOf = ({ fields, body }: Answer): Readonly<Record<string, string>> => ({
  ...fields,
  ...(body === '' ? {} : { 'Content-Type': 'text/plain; charset=utf-8' }),
  'Content-Length': `${Buffer.byteLength(body)}`,
})

/** As bytes: where no parser stands before the socket any more. It is the last that is said there, unless it `goesOn`. */
export const written = (answer: Answer, goesOn = false): string => {
  const { status, body } = answer
  const close = goesOn ? {} : { Connection: 'close' }
  const lines = Object.entries({ ...fieldsOf(answer), ...close })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return `HTTP/1.1 ${status} ${PHRASES[status] ?? ''}\r\n${head}\r\n${body}`
}

/** To a request whose connection goes on, unless it `isLast`. */
export const respond = (response: ServerResponse, answer: Answer, isLast: boolean): void => {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const close = isLast ? { Connection: 'close' } : {}
  response.writeHead(answer.status, { ...fieldsOf(answer), ...close }).end(answer.body)
}
