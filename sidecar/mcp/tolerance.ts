// What is taken although it is not as it should be, since it has one meaning only, and what a server writes that is of no
// use, with the fix. The words of the first are API (the metric's label); sidecar/README.md lists them, with what stays
// refused beside each.

export const TOLERANCES = {
  'byte-order-mark': 'a byte order mark before a message',
  'null-member': 'a member that is null and may be absent',
  'empty-object': 'an empty list, or a result that is null, where only an object may stand: {}',
  'notification-id': 'a notification with an id: nobody answers it',
  'accept-missing': 'no Accept header: taken for anything',
  'accept-json':
    'an Accept header without text/event-stream: the answer is JSON, and nothing comes before it',
  'accept-stream': 'an Accept header without application/json: the answer is an event stream',
  'content-type': 'parameters of application/json that mean nothing',
  'content-encoding': 'the Content-Encoding "identity", which is none',
  'empty-header': 'an MCP-Protocol-Version or Last-Event-ID header without a value: taken for none',
  'absolute-target': 'a request target in absolute form: its host stands for the Host header',
  'initialize-version':
    'initialize with an MCP-Protocol-Version that no legacy revision has: the body counts',
  'id-spelling': 'our number as a string, or in another spelling',
  'token-spelling': 'a progress token of another type than we sent',
  'repeated-name': 'the same name twice in an object that nobody here reads',
  batch: 'several messages in a list',
  'several-on-a-line': 'several messages on one line',
  'no-line-end': 'a whole message whose line does not end',
  'error-without-id': 'an error without an id while one request is in flight',
} as const satisfies Record<string, string>

export type Tolerance = keyof typeof TOLERANCES

interface OddityKind {
  readonly says: string
  readonly fix: string
}

const ONE_LINE = 'a message is one JSON text on one line, without line breaks or headers'

export const ODDITIES = {
  text: {
    says: 'the server wrote to stdout what is no message',
    fix: 'stdout is for messages alone: let the server log to stderr',
  },
  unusable: {
    says: 'the server wrote a message that cannot be used',
    fix: 'let the server write each message as one JSON-RPC 2.0 object on one line; the call that this one names has failed',
  },
  'content-length': {
    says: 'the server puts Content-Length headers before its messages, as language servers do',
    fix: `choose the transport stdio of MCP in the server: ${ONE_LINE}`,
  },
  'several-lines': {
    says: 'the server writes a message over several lines',
    fix: `turn off pretty printing in the server: ${ONE_LINE}`,
  },
  'utf-16': {
    says: 'the server writes UTF-16',
    fix: 'let it write UTF-8 (in PowerShell: [Console]::OutputEncoding = [Text.Encoding]::UTF8)',
  },
  prompt: {
    says: 'the server has written a line to stdout that does not end, and waits',
    fix: 'nobody can answer a prompt here: give what it asks for by a flag, a variable or a file (npx: --yes)',
  },
  'unknown-id': {
    says: 'the server answered with an id that nobody has asked with',
    fix: 'the id of an answer is the id of its request, as it came',
  },
  'error-without-id': {
    says: 'the server answered with an error that does not say to which of several requests',
    fix: 'an error bears the id of its request',
  },
} as const satisfies Record<string, OddityKind>

export type Oddity = keyof typeof ODDITIES

/** Who takes note of both. */
export interface Remarks {
  tolerated(what: Tolerance): void
  /** `text`: what was seen, cut and on one line; `process`: the number of the server's, where that is ours. */
  odd(what: Oddity, text: string, process?: number): void
}
