// Which headers go from replica to replica: of a request those that the protocol and traces have and those that the server is
// to get by its setting, of an answer those that a client is to read. Nothing by which a client shows who it is, unless the
// server itself is to get it. Pure.

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Forwarded } from '../http/forwarded.ts'

const ASKED = [
  'accept',
  'content-type',
  'last-event-id',
  'traceparent',
  'tracestate',
  'baggage',
  // For the record.
  'user-agent',
]
const ANSWERED = [
  'allow',
  'cache-control',
  'content-length',
  'content-type',
  'retry-after',
  'www-authenticate',
  'x-accel-buffering',
]

const MCP = 'mcp-'

const pick = (headers: IncomingHttpHeaders, listed: readonly string[]): Record<string, string> => {
  const picked: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value !== 'string') continue
    if (name.startsWith(MCP) || listed.includes(name)) picked[name] = value
  }
  return picked
}

export const askedHeaders = (
  request: IncomingMessage,
  forwarded: Forwarded | undefined,
): Record<string, string> => ({ ...forwarded?.(request), ...pick(request.headers, ASKED) })

export const answeredHeaders = ({ headers }: IncomingMessage): Record<string, string> =>
  pick(headers, ANSWERED)
