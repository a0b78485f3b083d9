// Names, attributes and outcomes of spans by OpenTelemetry's MCP conventions (Development; semantic-conventions-genai).
// Values from the wire are cut; no header but those named here is ever read. Pure.

import { header, type Exchange } from '../http/exchange.ts'
import { VERSION_KEY } from '../mcp/meta.ts'
import { FAULTS, type Fault } from '../mcp/faults.ts'
import { member, slice, stringAt, type Request } from '../mcp/message.ts'
import type { Era } from '../mcp/revision.ts'
import { METHODS, OTHER } from './known-words.ts'
import type { Attributes, SpanEnd } from './trace.ts'

/** Longest value of an attribute, characters. */
export const MAX_VALUE_LENGTH = 256

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

const cut = (text: string): string =>
  text.length > MAX_VALUE_LENGTH ? text.slice(0, MAX_VALUE_LENGTH).toWellFormed() : text

const targetOf = (request: Request, { parameter }: Target): string | undefined => {
  const text = stringAt(request.text, member(request.params, parameter))
  return text === undefined ? undefined : cut(text)
}

/** `{mcp.method.name} {target}`; what is no method of MCP is `_OTHER`. */
export const spanName = (request: Request): string => {
  const { method } = request
  const target = TARGETS.get(method)
  const name = target?.isNamed === true ? targetOf(request, target) : undefined
  const known = METHODS.has(method) ? method : OTHER
  return name === undefined ? known : `${known} ${name}`
}

const given = (attributes: Readonly<Record<string, string | number | undefined>>): Attributes =>
  Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, typeof value === 'string' ? cut(value) : value]],
    ),
  )

const ofRequest = (request: Request): Readonly<Record<string, string | undefined>> => {
  const { method } = request
  const target = TARGETS.get(method)
  return {
    'mcp.method.name': method,
    ...(target && { [target.attribute]: targetOf(request, target) }),
    'gen_ai.operation.name': method === 'tools/call' ? 'execute_tool' : undefined,
  }
}

const claimedVersion = (request: Request): string | undefined => {
  const place =
    member(request.meta, VERSION_KEY) ??
    (request.method === 'initialize' ? member(request.params, 'protocolVersion') : undefined)
  return stringAt(request.text, place)
}

const HTTP = { 'network.transport': 'tcp', 'network.protocol.name': 'http' }

/** Of the SERVER span: the request as it came. `era` is undefined where it could not be told. */
export const serverAttributes = (
  { request: http }: Exchange,
  request: Request,
  era: Era | undefined,
): Attributes =>
  given({
    ...ofRequest(request),
    'jsonrpc.request.id': stringAt(request.text, request.id) ?? slice(request.text, request.id),
    'mcp.protocol.version': claimedVersion(request) ?? header(http, 'mcp-protocol-version'),
    // The modern era has no sessions: what stands there is somebody's mistake.
    'mcp.session.id': era === 'legacy' ? header(http, 'mcp-session-id') : undefined,
    ...HTTP,
    'network.protocol.version': http.httpVersion,
    'client.address': http.socket.remoteAddress,
    'client.port': http.socket.remotePort,
  })

/** Of the CLIENT span: the request as the server gets it. */
export const clientAttributes = (
  request: Request,
  id: number,
  port: number | undefined,
): Attributes =>
  given({
    ...ofRequest(request),
    'jsonrpc.request.id': `${id}`,
    'mcp.protocol.version': claimedVersion(request),
    ...(port === undefined
      ? { 'network.transport': 'pipe' }
      : { ...HTTP, 'server.address': 'localhost', 'server.port': port }),
  })

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
    message: isError && outcome.message !== undefined ? cut(outcome.message) : undefined,
  }
}
