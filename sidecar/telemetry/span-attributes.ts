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
import type { Attributes, Bearer, PassedFrom, SpanEnd, SpanStart } from './trace.ts'

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

/** What a message says that others of its kind say too; short, and without secrets. */
export interface Said {
  readonly method: string
  /** Which tool, prompt or resource it is about. */
  readonly target: string | undefined
  readonly version: string | undefined
}

/** A message as it came. */
export interface Received extends Said {
  readonly session: string | undefined
  /** Of HTTP, and where its connection is from. */
  readonly protocol: string
  readonly address: string | undefined
  readonly port: number | undefined
}

/** A message as the server gets it; `port` of one that speaks HTTP. */
export interface Sent extends Said {
  readonly port: number | undefined
}

const targetIn = ({ method, text, params, shortName }: Bearer): string | undefined => {
  const { parameter } = TARGETS.get(method) ?? {}
  if (parameter === undefined) return undefined
  const own = parameter === 'name' ? shortName : undefined
  return own ?? stringAt(text, member(params, parameter))
}

const clean = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : word(text)

const saidIn = (message: Bearer, version = claimedVersion(message)): Said => ({
  method: word(message.method),
  target: clean(targetIn(message)),
  version: clean(version),
})

/** `era` is undefined where it could not be told. */
export const received = (
  { request: http, from }: Exchange,
  message: Bearer,
  era: Era | undefined,
): Received => ({
  ...saidIn(message, claimedVersion(message) ?? header(http, 'mcp-protocol-version')),
  // The modern era has no sessions: what stands there is somebody's mistake.
  session: era === 'legacy' ? clean(sessionIn(http)) : undefined,
  protocol: http.httpVersion,
  address: from ?? http.socket.remoteAddress,
  port: from === undefined ? http.socket.remotePort : undefined,
})

export const sent = (message: Bearer, port: number | undefined): Sent => ({
  ...saidIn(message),
  port,
})

const nameOf = ({ method, target }: Said): string => {
  const isNamed = target !== undefined && TARGETS.get(method)?.isNamed === true
  const known = NAMED.has(method) ? method : OTHER
  return isNamed ? `${known} ${target}` : known
}

/** `{mcp.method.name} {target}`; what is no method of MCP is `_OTHER`. */
export const spanName = (message: Bearer): string => nameOf(saidIn(message))

const given = (attributes: Readonly<Record<string, string | number | undefined>>): Attributes => {
  const found: Record<string, string | number> = {}
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) found[name] = typeof value === 'string' ? word(value) : value
  }
  return found
}

const ofMessage = ({ method, target }: Said): Readonly<Record<string, string | undefined>> => {
  const { attribute } = TARGETS.get(method) ?? {}
  return {
    'mcp.method.name': method,
    ...(attribute === undefined ? {} : { [attribute]: target }),
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

/** Of SERVER spans: the name, and what is not of one message alone. */
export const serverSide = (of: Received): Pick<SpanStart, 'name' | 'attributes'> => ({
  name: nameOf(of),
  attributes: given({
    ...ofMessage(of),
    'mcp.protocol.version': of.version,
    'mcp.session.id': of.session,
    ...HTTP,
    'network.protocol.version': of.protocol,
    'client.address': of.address,
    'client.port': of.port,
  }),
})

/** The same of CLIENT spans. */
export const clientSide = (of: Sent): Pick<SpanStart, 'name' | 'attributes'> => ({
  name: nameOf(of),
  attributes: given({
    ...ofMessage(of),
    'mcp.protocol.version': of.version,
    ...(of.port === undefined
      ? { 'network.transport': 'pipe' }
      : { ...HTTP, 'server.address': 'localhost', 'server.port': of.port }),
  }),
})

/** What the SERVER span of one message has alone. */
export const ownAttributes = ({ request: http }: Exchange, message: Bearer): Attributes =>
  given({
    'jsonrpc.request.id': idOf(message),
    ...assertedIn(
      stringAt(message.text, member(message.meta, 'baggage')) ?? header(http, 'baggage'),
    ),
  })

/** Of the SERVER span of a message of the server's own: as it came to us. */
export const passedServerAttributes = (
  message: Bearer,
  { port, session }: PassedFrom,
): Attributes =>
  given({
    ...ofMessage(saidIn(message)),
    'jsonrpc.request.id': idOf(message),
    'mcp.session.id': session,
    ...(port === undefined ? { 'network.transport': 'pipe' } : HTTP),
  })

/** Of its CLIENT span: as it goes to a client. */
export const passedClientAttributes = (message: Bearer, { session }: PassedFrom): Attributes =>
  given({
    ...ofMessage(saidIn(message)),
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
