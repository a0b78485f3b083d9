// Every fault that the sidecar itself answers, as one table: code, HTTP status, JSON-RPC code.
// The codes are API (they stand in `error.data.code`); the messages are not.

export interface FaultKind {
  /** HTTP status where no event stream has begun. */
  readonly status: number
  /** JSON-RPC error code. */
  readonly rpc: number
}

export const FAULTS = {
  'parse-error': { status: 400, rpc: -32_700 },
  'invalid-request': { status: 400, rpc: -32_600 },
  'invalid-params': { status: 400, rpc: -32_602 },
  'header-mismatch': { status: 400, rpc: -32_020 },
  'unsupported-version': { status: 400, rpc: -32_600 },
  'capability-missing': { status: 400, rpc: -32_021 },
  'version-not-served': { status: 400, rpc: -32_022 },
  'era-not-served': { status: 400, rpc: -32_601 },
  'session-required': { status: 400, rpc: -32_600 },
  'tls-required': { status: 400, rpc: -32_600 },
  unauthenticated: { status: 401, rpc: -32_600 },
  'server-unauthorized': { status: 401, rpc: -32_000 },
  'insufficient-scope': { status: 403, rpc: -32_600 },
  'server-forbidden': { status: 403, rpc: -32_000 },
  forbidden: { status: 403, rpc: -32_000 },
  'host-refused': { status: 403, rpc: -32_600 },
  'origin-refused': { status: 403, rpc: -32_600 },
  'path-not-found': { status: 404, rpc: -32_600 },
  'method-not-found': { status: 404, rpc: -32_601 },
  'session-unknown': { status: 404, rpc: -32_001 },
  'method-not-allowed': { status: 405, rpc: -32_600 },
  'not-acceptable': { status: 406, rpc: -32_600 },
  'body-too-large': { status: 413, rpc: -32_600 },
  'media-type': { status: 415, rpc: -32_600 },
  'rate-limited': { status: 429, rpc: -32_000 },
  'too-many-requests': { status: 429, rpc: -32_000 },
  internal: { status: 500, rpc: -32_603 },
  'server-not-started': { status: 502, rpc: -32_000 },
  'token-not-exchanged': { status: 502, rpc: -32_000 },
  'server-failed': { status: 502, rpc: -32_000 },
  'no-capacity': { status: 503, rpc: -32_000 },
  'no-memory': { status: 503, rpc: -32_000 },
  'issuer-unavailable': { status: 503, rpc: -32_000 },
  'circuit-open': { status: 503, rpc: -32_000 },
  'audit-unavailable': { status: 503, rpc: -32_000 },
  draining: { status: 503, rpc: -32_000 },
  denied: { status: 200, rpc: -32_000 },
  'not-as-locked': { status: 200, rpc: -32_000 },
  'invalid-arguments': { status: 200, rpc: -32_602 },
  'server-exited': { status: 200, rpc: -32_000 },
  'server-not-reading': { status: 200, rpc: -32_000 },
  'unusable-answer': { status: 200, rpc: -32_000 },
  'request-timeout': { status: 200, rpc: -32_001 },
  'request-cancelled': { status: 200, rpc: -32_000 },
} as const satisfies Record<string, FaultKind>

export type FaultCode = keyof typeof FAULTS

/** A fault to be told to a client: its code and what is wrong, where, and what to do. */
export interface Fault {
  readonly code: FaultCode
  readonly message: string
  /** The message without what the server wrote, for those who have seen that. */
  readonly brief?: string
  /** Further members of `error.data`, e.g. the exit code. */
  readonly data?: Readonly<Record<string, unknown>>
  /** Extra HTTP headers, e.g. Retry-After. */
  readonly headers?: Readonly<Record<string, string>>
}

export const fault = (
  code: FaultCode,
  message: string,
  more: Omit<Fault, 'code' | 'message'> = {},
): Fault => ({
  code,
  message,
  ...more,
})

/** A rule of the tool policy denies a caller everything. */
export const blockedFault = (rule: string): Fault =>
  fault('forbidden', `the tool policy denies this caller everything, by the rule ${rule}`, {
    data: { rule },
  })

const BUSY = { headers: { 'retry-after': '5' } }

/** What the budget is and follows from, for people. */
const budgetText = (budgetBytes: number): string =>
  `all that is held for clients and servers may take ${budgetBytes} bytes, a quarter of outrigger.dev/sidecar-memory-limit`

/** There is no room for something: for a body, an answer, or what a server does not read. */
export const noMemory = (what: string, budgetBytes: number): Fault =>
  fault(
    'no-memory',
    `there is no room for ${what} now: ${budgetText(budgetBytes)}; try again later`,
    BUSY,
  )

/** An answer of so many bytes has come and cannot be kept until its client has fetched it. */
export const noRoom = (bytes: number, budgetBytes: number): Fault =>
  noMemory(`an answer of ${bytes} bytes`, budgetBytes)

/** It would have to wait for a process, and too many do. */
export const tooManyWait = (budgetBytes: number): Fault =>
  fault(
    'too-many-requests',
    `too many requests wait for a server process: they may take an eighth of the memory budget (${budgetText(budgetBytes)}); try again later`,
    BUSY,
  )

/** The JSON-RPC error response for a fault, as latin1 text; `idText` is the request's id as it came. */
export const faultText = ({ code, message, data }: Fault, idText = 'null'): string => {
  const error = JSON.stringify({ code: FAULTS[code].rpc, message, data: { code, ...data } })
  return `{"jsonrpc":"2.0","id":${idText},"error":${Buffer.from(error).toString('latin1')}}`
}
