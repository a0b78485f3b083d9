// The control protocol's frames as sidecar/shim/README.md has them, for tests. Pure.

export type ShimEvent =
  | {
      readonly type: 'hello'
      readonly version: number
      readonly uid: number
      readonly landlockAbi: number
      readonly flags: number
      readonly secret: string
      readonly mark: string
      readonly found: string
    }
  | { readonly type: 'pipes'; readonly child: number }
  | { readonly type: 'gone'; readonly child: number }
  | { readonly type: 'spawned'; readonly child: number; readonly pid: number }
  | {
      readonly type: 'refused'
      readonly child: number
      readonly reason: number
      readonly text: string
    }
  | {
      readonly type: 'stderr'
      readonly child: number
      readonly dropped: number
      readonly data: Buffer
    }
  | {
      readonly type: 'exited'
      readonly child: number
      readonly kind: number
      readonly value: number
    }
  | { readonly type: 'terminating'; readonly leftMs: number }
  | {
      readonly type: 'supervision'
      readonly wanted: number
      readonly standing: number
      readonly secret: string
      readonly why: string
    }
  | {
      readonly type: 'egress'
      readonly child: number
      readonly verdict: number
      readonly kind: number
      readonly family: number
      readonly address: string
      readonly port: number
      readonly dropped: number
    }
  | { readonly type: 'token-failed'; readonly child: number; readonly text: string }
  | { readonly type: 'led'; readonly child: number; readonly from: number; readonly port: number }

export type EventOf<T extends ShimEvent['type']> = Extract<ShimEvent, { readonly type: T }>

/** The reasons of REFUSED. */
export const REASON = {
  tooMany: 1,
  tooFast: 2,
  ending: 3,
  badRequest: 4,
  system: 5,
  cannotExecute: 6,
} as const

/** A frame of any type and payload, right or wrong. */
export const frame = (type: number, payload: Buffer = Buffer.of()): Buffer => {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(payload.length + 1)
  head.writeUInt8(type, 4)
  return Buffer.concat([head, payload])
}

const u32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, i) => bytes.writeUInt32BE(value, i * 4))
  return bytes
}

/** The protocol's version. */
export const VERSION = 3

/** A confinement: its mode, and pairs of a port and where a connect to it ends. */
export interface Terms {
  readonly mode?: number
  readonly forwards?: readonly (readonly [local: number, port: number])[]
  readonly lines?: readonly string[]
}

interface Requests {
  readonly hello: { readonly version: number }
  readonly spawn: {
    readonly child: number
    readonly name: string
  } & Terms
  readonly opened: { readonly child: number }
  readonly end: {
    readonly child: number
    readonly termAfterMs: number
    readonly killAfterMs: number
  }
  readonly exit: { readonly code: number }
  readonly start: Readonly<Record<string, never>>
  readonly confine: Terms
  /** Empty: there is none any more. */
  readonly token: { readonly child: number; readonly token: string }
}

const terms = ({ mode = 0, forwards = [], lines = [] }: Terms): Buffer =>
  Buffer.concat([
    Buffer.of(mode, forwards.length),
    ...forwards.flat().map((port) => Buffer.of(port >> 8, port & 255)),
    Buffer.from(lines.map((line) => `${line}\0`).join('')),
  ])

const ENCODERS: { readonly [K in keyof Requests]: (request: Requests[K]) => Buffer } = {
  hello: ({ version }) => frame(0x01, Buffer.of(version >> 8, version & 255)),
  spawn: ({ child, name, ...rest }) =>
    frame(0x02, Buffer.concat([u32(child), Buffer.from(name), terms(rest)])),
  opened: ({ child }) => frame(0x03, u32(child)),
  end: ({ child, termAfterMs, killAfterMs }) => frame(0x04, u32(child, termAfterMs, killAfterMs)),
  exit: ({ code }) => frame(0x05, Buffer.of(code)),
  start: () => frame(0x06),
  confine: (confinement) => frame(0x07, terms(confinement)),
  token: ({ child, token }) => frame(0x08, Buffer.concat([u32(child), Buffer.from(token)])),
}

/** A request's bytes. */
export const encodeRequest = <K extends keyof Requests>(type: K, request: Requests[K]): Buffer =>
  ENCODERS[type](request)

const DECODERS = new Map<number, (payload: Buffer) => ShimEvent>([
  [
    0x81,
    (p) => ({
      type: 'hello',
      version: p.readUInt16BE(0),
      uid: p.readUInt32BE(2),
      landlockAbi: p.readUInt8(6),
      flags: p.readUInt8(7),
      secret: p.toString('latin1', 8, 40),
      mark: p.toString('latin1', 40, 72),
      found: p.toString('latin1', 72, 104),
    }),
  ],
  [0x82, (p) => ({ type: 'pipes', child: p.readUInt32BE(0) })],
  [0x83, (p) => ({ type: 'spawned', child: p.readUInt32BE(0), pid: p.readUInt32BE(4) })],
  [
    0x84,
    (p) => ({
      type: 'refused',
      child: p.readUInt32BE(0),
      reason: p.readUInt8(4),
      text: p.toString('utf8', 5),
    }),
  ],
  [
    0x85,
    (p) => ({
      type: 'stderr',
      child: p.readUInt32BE(0),
      dropped: p.readUInt32BE(4),
      data: Buffer.from(p.subarray(8)),
    }),
  ],
  [
    0x86,
    (p) => ({
      type: 'exited',
      child: p.readUInt32BE(0),
      kind: p.readUInt8(4),
      value: p.readUInt8(5),
    }),
  ],
  [0x87, (p) => ({ type: 'gone', child: p.readUInt32BE(0) })],
  [0x88, (p) => ({ type: 'terminating', leftMs: p.readUInt32BE(0) })],
  [
    0x89,
    (p) => ({
      type: 'supervision',
      wanted: p.readUInt8(0),
      standing: p.readUInt8(1),
      secret: p.toString('latin1', 2, 34),
      why: p.toString('utf8', 34),
    }),
  ],
  [
    0x8a,
    (p) => ({
      type: 'egress',
      child: p.readUInt32BE(0),
      verdict: p.readUInt8(4),
      kind: p.readUInt8(5),
      family: p.readUInt8(6),
      address: p.subarray(7, p.readUInt8(6) === 4 ? 11 : 23).toString('hex'),
      port: p.readUInt16BE(23),
      dropped: p.readUInt32BE(25),
    }),
  ],
  [
    0x8b,
    (p) => ({
      type: 'led',
      child: p.readUInt32BE(0),
      from: p.readUInt16BE(4),
      port: p.readUInt16BE(6),
    }),
  ],
  [0x8c, (p) => ({ type: 'token-failed', child: p.readUInt32BE(0), text: p.toString('utf8', 4) })],
])

/** The whole events in `bytes`, and what is left of it. */
export const decodeEvents = (bytes: Buffer): { events: ShimEvent[]; rest: Buffer } => {
  const events: ShimEvent[] = []
  let at = 0
  while (bytes.length - at >= 5) {
    const length = bytes.readUInt32BE(at)
    if (bytes.length - at - 4 < length) break
    const type = bytes.readUInt8(at + 4)
    const decode = DECODERS.get(type)
    if (!decode) throw new Error(`an event of the unknown type ${type}`)
    events.push(decode(bytes.subarray(at + 5, at + 4 + length)))
    at += 4 + length
  }
  return { events, rest: bytes.subarray(at) }
}
