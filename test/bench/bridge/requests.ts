// The requests that the load generator sends, as ready bytes: one tool call of a chosen size and
// shape, in either era. Pure.

/** The shapes of a call's arguments. */
export const SHAPES = ['100 B', '64 KiB string', '64 KiB members', '64 KiB JSON text'] as const
export type Shape = (typeof SHAPES)[number]
export type Era = 'legacy' | 'modern'

/** Where to, and what every request to it bears besides its own headers. */
export type Target = {
  readonly host: string
  readonly path: string
  readonly headers?: readonly string[] | undefined
}

const REVISION = { legacy: '2025-11-25', modern: '2026-07-28' } as const
const LARGE = 64 * 1024
const SMALL = 100

const rows = (bytes: number): { readonly id: number; readonly name: string }[] => {
  const one = JSON.stringify({ id: 1000, name: 'name 1000', on: true }).length + 1
  return Array.from({ length: Math.floor(bytes / one) }, (_, index) => ({
    id: 1000 + (index % 9000),
    name: `name ${1000 + (index % 9000)}`,
    on: index % 2 === 0,
  }))
}

const filler = (bytes: number): string => 'outrigger '.repeat(Math.ceil(bytes / 10)).slice(0, bytes)

const ARGUMENTS: Readonly<Record<Shape, () => Readonly<Record<string, unknown>>>> = {
  '100 B': () => ({ text: 'hello' }),
  '64 KiB string': () => ({ text: filler(LARGE - SMALL) }),
  '64 KiB members': () => ({ rows: rows(LARGE - SMALL) }),
  // Quotes are escaped once more inside a string, which makes the text longer.
  '64 KiB JSON text': () => ({ text: JSON.stringify(rows((LARGE * 30) / 40)) }),
}

/** The arguments of a call; its whole body is about as long as the shape says. */
export const argumentsOf = (shape: Shape): Readonly<Record<string, unknown>> => ARGUMENTS[shape]()

const http = (
  { host, path, headers: ofAll = [] }: Target,
  method: string,
  headers: readonly string[],
  body: string,
): Buffer =>
  Buffer.from(
    [
      `${method} ${path} HTTP/1.1`,
      `Host: ${host}`,
      ...ofAll,
      ...headers,
      ...(body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
      '',
      body,
    ].join('\r\n'),
  )

const COMMON = [
  'Content-Type: application/json',
  'Accept: application/json, text/event-stream',
] as const

const legacyHeaders = (session: string): string[] => [
  ...COMMON,
  `Mcp-Session-Id: ${session}`,
  `MCP-Protocol-Version: ${REVISION.legacy}`,
]

/** The request that opens a legacy session. */
export const initialize = (target: Target): Buffer =>
  http(
    target,
    'POST',
    COMMON,
    JSON.stringify({
      jsonrpc: '2.0',
      id: 0,
      method: 'initialize',
      params: {
        protocolVersion: REVISION.legacy,
        capabilities: {},
        clientInfo: { name: 'bench', version: '1.0.0' },
      },
    }),
  )

/** The notification that a legacy client sends once it has been answered. */
export const initialized = (target: Target, session: string): Buffer =>
  http(
    target,
    'POST',
    legacyHeaders(session),
    JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }),
  )

/** The request that ends a legacy session. */
export const terminate = (target: Target, session: string): Buffer =>
  http(target, 'DELETE', legacyHeaders(session), '')

/** A tool call in a legacy session. */
export const legacyCall = (target: Target, session: string, shape: Shape): Buffer =>
  http(
    target,
    'POST',
    legacyHeaders(session),
    JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'echo', arguments: argumentsOf(shape) },
    }),
  )

/** A tool call by a modern client. */
export const modernCall = (target: Target, shape: Shape): Buffer =>
  http(
    target,
    'POST',
    [
      ...COMMON,
      `MCP-Protocol-Version: ${REVISION.modern}`,
      'Mcp-Method: tools/call',
      'Mcp-Name: echo',
    ],
    JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        name: 'echo',
        arguments: argumentsOf(shape),
        _meta: {
          'io.modelcontextprotocol/protocolVersion': REVISION.modern,
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    }),
  )
