// What is taken although it is not as it should be, since it has one meaning only. The words are API (the metric's label);
// sidecar/README.md lists them, with what stays refused beside each.

export const TOLERANCES = {
  'byte-order-mark': 'a byte order mark before a message',
  'null-member': 'a member that is null and may be absent',
  'accept-missing': 'no Accept header: taken for anything',
  'accept-json':
    'an Accept header without text/event-stream: the answer is JSON, and nothing comes before it',
  'accept-stream': 'an Accept header without application/json: the answer is an event stream',
  'content-type': 'parameters of application/json that mean nothing',
  'content-encoding': 'the Content-Encoding "identity", which is none',
  'absolute-target': 'a request target in absolute form: its host stands for the Host header',
  'initialize-version':
    'initialize with an MCP-Protocol-Version that no legacy revision has: the body counts',
} as const satisfies Record<string, string>

export type Tolerance = keyof typeof TOLERANCES

/** Who takes note of it. */
export interface Remarks {
  tolerated(what: Tolerance): void
}
