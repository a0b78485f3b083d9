// Names, attributes and outcomes of spans by OpenTelemetry's MCP conventions (Development; semantic-conventions-genai).
// Values from the wire are cleaned of secrets and cut; no header but those named here is ever read. Pure.

import { header, sessionName, type Exchange } from '../http/exchange.ts'
import { VERSION_KEY } from '../mcp/meta.ts'
import { FAULTS, type Fault } from '../mcp/faults.ts'
import { member, slice, stringAt } from '../mcp/message.ts'
import type { Era } from '../mcp/revision.ts'
import { assertedIn } from './baggage.ts'
import { brief } from './brief.ts'
import { METHODS, OTHER } from './known-words.ts'
import { remembered } from './remembered.ts'
import type { Attributes, Bearer, PassedFrom, SpanEnd } from './trace.ts'

/** What may stand in a span's name: clients' requests, servers', and notifications. */
const NAMED: ReadonlySet<string> = new Set([
  ...METHODS,
  'sampling/createMessage',
  'elicitation/create',
  'roots/list',
  'notifications/cancelled',
  'notifications/initialized',
  'notifications/progress',
  'notifications/message',
  'notifications/roots/list_changed',
  'notifications/tools/list_changed',
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
  'notifications/resources/updated',
  'notifications/elicitation/complete',
  'notifications/tasks/status',
])

interface Target {
  readonly parameter: string
  readonly attribute: string
  /** Whether it stands in the span's name: URIs are too many. */
  readonly isNamed: boolean
}

const RESOURCE: Target = { parameter: 'uri', attribute: 'mcp.resource.uri', isNamed: false }
const TARGETS: ReadonlyMap<string, Target> = new Map([
  ['tools/call', { parameter: 'name', attribute: 'gen_ai.tool.name', isNamed: true }],
  ['prompts/get', { parameter: 'name', attribute: 'gen_ai.prompt.name', isNamed: true }],
  ['resources/read', RESOURCE],
  ['resources/subscribe', RESOURCE],
  ['resources/unsubscribe', RESOURCE],
])

/** Too short for any secret, as the numbers of requests are. */
const PLAIN = /^[\w.-]{0,10}$/
const known = remembered(brief)
/** As spans of all calls have it: without secrets, and cut. */
const word = (text: string): string => (PLAIN.test(text) ? text : known(text))

const targetOf = (request: Bearer, { parameter }: Target): string | undefined => {
  const text = stringAt(request.text, member(request.params, parameter))
  return text === undefined ? undefined : word(text)
}

/** `{mcp.method.name} {target}`; what is no method of MCP is `_OTHER`. */
export const spanName = (request: Bearer): string => {
  const { method } = request
  const target = TARGETS.get(method)
  const name = target?.isNamed === true ? targetOf(request, target) : undefined
  const known = NAMED.has(method) ? method : OTHER
  return name === undefined ? known : `${known} ${name}`
}

const given = (attributes: Readonly<Record<string, string | number | undefined>>): Attributes => {
  const found: Record<string, string | number> = {}
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) found[name] = typeof value === 'string' ? word(value) : value
  }
  return found
}

const ofMessage = (request: Bearer): Readonly<Record<string, string | undefined>> => {
  const { method } = request
  const target = TARGETS.get(method)
  return {
    'mcp.method.name': method,
    ...(target && { [target.attribute]: targetOf(request, target) }),
    'gen_ai.operation.name': method === 'tools/call' ? 'execute_tool' : undefined,
  }
}

const claimedVersion = (request: Bearer): string | undefined => {
  const place =
    member(request.meta, VERSION_KEY) ??
    (request.method === 'initialize' ? member(request.params, 'protocolVersion') : undefined)
  return stringAt(request.text, place)
}

const idOf = (message: Bearer): string | undefined =>
  message.kind === 'request'
    ? (stringAt(message.text, message.id) ?? slice(message.text, message.id))
    : undefined

/** Whoever has the whole id may have the session. */
const sessionIn = (http: Exchange['request']): string | undefined => {
  const id = header(http, 'mcp-session-id')
  return id === undefined ? undefined : sessionName(id)
}

const HTTP = { 'network.transport': 'tcp', 'network.protocol.name': 'http' }

/** Of the SERVER span: the message as it came. `era` is undefined where it could not be told. */
export const serverAttributes = (
  { request: http }: Exchange,
  request: Bearer,
  era: Era | undefined,
): Attributes =>
  given({
    ...ofMessage(request),
    'jsonrpc.request.id': idOf(request),
    'mcp.protocol.version': claimedVersion(request) ?? header(http, 'mcp-protocol-version'),
    // The modern era has no sessions: what stands there is somebody's mistake.
    'mcp.session.id': era === 'legacy' ? sessionIn(http) : undefined,
    ...HTTP,
    'network.protocol.version': http.httpVersion,
    'client.address': http.socket.remoteAddress,
    'client.port': http.socket.remotePort,
    ...assertedIn(
      stringAt(request.text, member(request.meta, 'baggage')) ?? header(http, 'baggage'),
    ),
  })

/** Of the CLIENT span: the message as the server gets it. */
export const clientAttributes = (
  request: Bearer,
  id: number | undefined,
  port: number | undefined,
): Attributes =>
  given({
    ...ofMessage(request),
    'jsonrpc.request.id': id === undefined ? undefined : `${id}`,
    'mcp.protocol.version': claimedVersion(request),
    ...(port === undefined
      ? { 'network.transport': 'pipe' }
      : { ...HTTP, 'server.address': 'localhost', 'server.port': port }),
  })

/** Of the SERVER span of a message of the server's own: as it came to us. */
export const passedServerAttributes = (
  message: Bearer,
  { port, session }: PassedFrom,
): Attributes =>
  given({
    ...ofMessage(message),
    'jsonrpc.request.id': idOf(message),
    'mcp.session.id': session,
    ...(port === undefined ? { 'network.transport': 'pipe' } : HTTP),
  })

/** Of its CLIENT span: as it goes to a client. */
export const passedClientAttributes = (message: Bearer, { session }: PassedFrom): Attributes =>
  given({
    ...ofMessage(message),
    'jsonrpc.request.id': idOf(message),
    'mcp.session.id': session,
    ...HTTP,
  })

/** The same under the names that dashboards had before the conventions, beside those. */
export const withEarlierNames = (attributes: Attributes, server: string): Attributes => {
  const { 'mcp.method.name': method, 'gen_ai.tool.name': tool } = attributes
  return {
    ...attributes,
    'mcp.server.name': server,
    ...(method === undefined ? {} : { 'mcp.method': method }),
    ...(tool === undefined ? {} : { 'mcp.tool.name': tool }),
  }
}

/** How an operation ended that did not succeed. */
export interface Outcome {
  readonly errorType: string
  /** The JSON-RPC error code, where there was such an error. */
  readonly code?: string | undefined
  readonly message?: string | undefined
}

/** The client had enough: nobody's error. */
export const CANCELLED = 'cancelled'

/** JSON-RPC errors that are the caller's fault: on a SERVER span they are no errors. */
const CALLERS_FAULTS: ReadonlySet<string> = new Set([
  '-32700',
  '-32600',
  '-32601',
  '-32602',
  '-32002',
])
const CODE = /^-?\d+$/

export const outcomeOfHop = (errorType: string, message: string | undefined): Outcome => ({
  errorType,
  code: CODE.test(errorType) ? errorType : undefined,
  message,
})

export const outcomeOfFault = ({ code, message }: Fault): Outcome => ({
  errorType: code,
  code: `${FAULTS[code].rpc}`,
  message,
})

const isNoServerError = ({ errorType, code }: Outcome): boolean =>
  errorType === CANCELLED || (code !== undefined && CALLERS_FAULTS.has(code))

/** What a span's end says, by its kind. */
export const spanEnd = (kind: 'server' | 'client', outcome: Outcome | undefined): SpanEnd => {
  if (outcome === undefined) return { attributes: {}, isError: false, message: undefined }
  const isError = kind === 'client' || !isNoServerError(outcome)
  return {
    attributes: given({
      'rpc.response.status_code': outcome.code,
      'error.type': isError ? outcome.errorType : undefined,
    }),
    isError,
    message: isError && outcome.message !== undefined ? brief(outcome.message) : undefined,
  }
}
