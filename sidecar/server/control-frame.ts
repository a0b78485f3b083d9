// The shim's control protocol, version 3: frames ↔ values (sidecar/shim/README.md has the table).
// Pure. What comes from the shim is checked like anything from outside: it shares a container with the server.

import { fail, ok, type Result } from '../../shared/result.ts'
import { Gathered } from '../bytes/gathered.ts'

export const PROTOCOL_VERSION = 3
const MAX_FRAME_BYTES = 65_536
const HEADER_BYTES = 5

const REFUSALS = [
  'unknown',
  'too many processes',
  'spawning too fast',
  'the container is ending',
  'bad request',
  'system error',
  'cannot execute',
] as const

const BUSY = new Set([1, 2])

// How a child has ended.
const BY_CODE = 0
const BY_MEMORY = 2

/** What a child, or the one command, may reach, and what it has in its environment for that. */
export interface Terms {
  readonly mode: 'off' | 'observe' | 'enforce'
  /** A connect to `local` on loopback ends at `port` there: a TCP forward of this child alone. */
  readonly forwards: readonly { readonly local: number; readonly port: number }[]
  /** Lines of the environment beside what the container has. */
  readonly environment: Readonly<Record<string, string>>
}

/** Nothing is confined, and nothing of the environment is changed. */
export const UNCONFINED: Terms = { mode: 'off', forwards: [], environment: {} }

const MODES = ['off', 'observe', 'enforce'] as const
const VERDICTS = ['allowed', 'observed', 'refused'] as const
const EGRESS_KINDS = ['other', 'tcp', 'udp', 'unix', 'other'] as const

export type SocketKind = Readonly<Record<'domain' | 'type' | 'protocol', number>>

/** An attempt of a child's to reach something by a way of its own, as the shim saw it. */
export interface EgressAttempt {
  /** 0 is the one command. */
  readonly child: number
  /** `observed`: it was let through, and would be refused under `enforce`. */
  readonly verdict: (typeof VERDICTS)[number]
  /** `other`: a kind of socket that is refused by itself. */
  readonly how: 'tcp' | 'udp' | 'unix' | 'other'
  readonly address: string | undefined
  readonly port: number
  /** Of a kind of socket that is refused by itself, as `socket` was called, where that is told. */
  readonly socket?: SocketKind | undefined
  /** So many attempts before it were not told. */
  readonly dropped: number
}

/** A connection of a child's to one of its forwards: who comes there from another port is not this child. */
export interface Led {
  readonly child: number
  /** On loopback. */
  readonly from: number
  readonly port: number
}

/** By what a shim shows that it is the one; each of 32 characters. */
export interface Shown {
  /** Its own, for as long as it lives; nobody else knows it but us. */
  readonly secret: string
  /** The end of a name that is its own for as long. */
  readonly mark: string
  /** What we have left for the first who comes. */
  readonly found: string
}

export type ShimEvent =
  | {
      readonly kind: 'hello'
      readonly version: number
      readonly uid: number
      readonly landlockAbi: number
      /** `shim exec`: it runs one command, and starts no children. */
      readonly hasOneCommand: boolean
      /** It was tried and works: what a confined process reaches is the shim's to decide. */
      readonly canConfine: boolean
      /** The kernel's own rules for TCP stand behind that. */
      readonly hasNetworkRules: boolean
      readonly shown: Shown
    }
  | {
      readonly kind: 'supervision'
      /** Whether the command's listeners are held on loopback. */
      readonly isHeld: boolean
      /** Whether it shall be confined: it waits for CONFINE. */
      readonly wantsConfinement: boolean
      /** Whether it can be. */
      readonly isConfined: boolean
      /** The command's for the life of its container: what a credential for it is made of. */
      readonly secret: string
      readonly why: string
    }
  | { readonly kind: 'pipes' | 'gone'; readonly child: number }
  | { readonly kind: 'spawned'; readonly child: number; readonly pid: number }
  | {
      readonly kind: 'refused'
      readonly child: number
      readonly reason: string
      /** Too many or too fast: it may well work a little later. */
      readonly isBusy: boolean
    }
  | {
      readonly kind: 'stderr'
      readonly child: number
      readonly dropped: number
      readonly bytes: Buffer
    }
  | {
      readonly kind: 'exited'
      readonly child: number
      readonly code: number | undefined
      readonly signal: number | undefined
      /** The kernel has sent the signal because the container had no memory left. */
      readonly isOutOfMemory: boolean
    }
  | { readonly kind: 'terminating'; readonly leftMs: number }
  | { readonly kind: 'token-failed'; readonly child: number; readonly why: string }
  | ({ readonly kind: 'egress' } & EgressAttempt)
  | ({ readonly kind: 'led' } & Led)

/** Bits of the two bytes of flags. */
const HAS_ONE_COMMAND = 4
const CAN_CONFINE = 8
const HAS_NETWORK_RULES = 16
const HOLDS_LISTENERS = 1
const CONFINES = 2

const SECRET_BYTES = 32
const SHOWN_AT = 8
const IPV4 = 4
const IPV6 = 6

const frame = (type: number, payload: Buffer): Buffer => {
  const head = Buffer.alloc(HEADER_BYTES)
  head.writeUInt32BE(payload.length + 1)
  head.writeUInt8(type, 4)
  return Buffer.concat([head, payload])
}

const numbers = (...values: readonly number[]): Buffer => {
  const payload = Buffer.alloc(values.length * 4)
  values.forEach((value, index) => payload.writeUInt32BE(value, index * 4))
  return payload
}

export const helloFrame = (): Buffer => frame(0x01, Buffer.from([0, PROTOCOL_VERSION]))

const termsOf = ({ mode, forwards, environment }: Terms): Buffer => {
  const head = Buffer.alloc(2 + forwards.length * 4)
  head.writeUInt8(MODES.indexOf(mode))
  head.writeUInt8(forwards.length, 1)
  forwards.forEach(({ local, port }, index) => {
    head.writeUInt16BE(local, 2 + index * 4)
    head.writeUInt16BE(port, 4 + index * 4)
  })
  const lines = Object.entries(environment).map(([key, value]) => `${key}=${value}\0`)
  return Buffer.concat([head, Buffer.from(lines.join(''))])
}

/** `name` is 32 lower-case hex digits. */
export const spawnFrame = (child: number, name: string, terms: Terms = UNCONFINED): Buffer =>
  frame(0x02, Buffer.concat([numbers(child), Buffer.from(name, 'latin1'), termsOf(terms)]))

/** To a shim with one command: it starts once this has come; later ones replace the forwards. */
export const confineFrame = (terms: Terms): Buffer => frame(0x07, termsOf(terms))

/** For a child's own file: before OPENED what it starts with; empty: it has none any more. */
export const tokenFrame = (child: number, token: string): Buffer =>
  frame(0x08, Buffer.concat([numbers(child), Buffer.from(token, 'latin1')]))

export const openedFrame = (child: number): Buffer => frame(0x03, numbers(child))

export const endFrame = (child: number, termAfterMs: number, killAfterMs: number): Buffer =>
  frame(0x04, numbers(child, termAfterMs, killAfterMs))

export const exitFrame = (code: number): Buffer => frame(0x05, Buffer.from([code]))

export const startFrame = (): Buffer => frame(0x06, Buffer.alloc(0))

type Decode = (payload: Buffer) => ShimEvent

const addressOf = (family: number, bytes: Buffer): string | undefined => {
  if (family === IPV4) return bytes.subarray(0, 4).join('.')
  if (family !== IPV6) return undefined
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16))
  // The one way to write it, and the shortest.
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}

const socketIn = (family: number, bytes: Buffer): SocketKind | undefined => {
  const domain = bytes.readUInt16BE(0)
  if (family === IPV4 || family === IPV6 || domain === 0) return undefined
  return { domain, type: bytes.readUInt16BE(2), protocol: bytes.readUInt16BE(4) }
}

const secretAt = (payload: Buffer, at: number): string =>
  payload.toString('latin1', at, at + SECRET_BYTES)

const EVENTS: ReadonlyMap<number, readonly [minBytes: number, decode: Decode]> = new Map([
  [
    0x81,
    [
      8,
      (p) => ({
        kind: 'hello',
        version: p.readUInt16BE(0),
        uid: p.readUInt32BE(2),
        landlockAbi: p.readUInt8(6),
        hasOneCommand: (p.readUInt8(7) & HAS_ONE_COMMAND) !== 0,
        canConfine: (p.readUInt8(7) & CAN_CONFINE) !== 0,
        hasNetworkRules: (p.readUInt8(7) & HAS_NETWORK_RULES) !== 0,
        // Of one that speaks another version they are not there.
        shown: {
          secret: secretAt(p, SHOWN_AT),
          mark: secretAt(p, SHOWN_AT + SECRET_BYTES),
          found: secretAt(p, SHOWN_AT + 2 * SECRET_BYTES),
        },
      }),
    ],
  ],
  [0x82, [4, (p) => ({ kind: 'pipes', child: p.readUInt32BE(0) })]],
  [0x83, [8, (p) => ({ kind: 'spawned', child: p.readUInt32BE(0), pid: p.readUInt32BE(4) })]],
  [
    0x84,
    [
      5,
      (p) => {
        const text = p.subarray(5).toString()
        const number = p.readUInt8(4)
        const reason = REFUSALS[number] ?? REFUSALS[0]
        return {
          kind: 'refused',
          child: p.readUInt32BE(0),
          reason: text === '' ? reason : text,
          isBusy: BUSY.has(number),
        }
      },
    ],
  ],
  [
    0x85,
    [
      8,
      (p) => ({
        kind: 'stderr',
        child: p.readUInt32BE(0),
        dropped: p.readUInt32BE(4),
        bytes: p.subarray(8),
      }),
    ],
  ],
  [
    0x86,
    [
      6,
      (p) => {
        const how = p.readUInt8(4)
        const value = p.readUInt8(5)
        return {
          kind: 'exited',
          child: p.readUInt32BE(0),
          code: how === BY_CODE ? value : undefined,
          signal: how === BY_CODE ? undefined : value,
          isOutOfMemory: how === BY_MEMORY,
        }
      },
    ],
  ],
  [0x87, [4, (p) => ({ kind: 'gone', child: p.readUInt32BE(0) })]],
  [0x88, [4, (p) => ({ kind: 'terminating', leftMs: p.readUInt32BE(0) })]],
  [
    0x89,
    [
      2 + SECRET_BYTES,
      (p) => ({
        kind: 'supervision',
        isHeld: (p.readUInt8(1) & HOLDS_LISTENERS) !== 0,
        wantsConfinement: (p.readUInt8(0) & CONFINES) !== 0,
        isConfined: (p.readUInt8(1) & CONFINES) !== 0,
        secret: secretAt(p, 2),
        why: p.toString('utf8', 2 + SECRET_BYTES),
      }),
    ],
  ],
  [
    0x8a,
    [
      29,
      (p) => ({
        kind: 'egress',
        child: p.readUInt32BE(0),
        verdict: VERDICTS[p.readUInt8(4)] ?? 'refused',
        how: EGRESS_KINDS[p.readUInt8(5)] ?? 'other',
        address: addressOf(p.readUInt8(6), p.subarray(7, 23)),
        port: p.readUInt16BE(23),
        socket: socketIn(p.readUInt8(6), p.subarray(7, 23)),
        dropped: p.readUInt32BE(25),
      }),
    ],
  ],
  [
    0x8b,
    [
      8,
      (p) => ({
        kind: 'led',
        child: p.readUInt32BE(0),
        from: p.readUInt16BE(4),
        port: p.readUInt16BE(6),
      }),
    ],
  ],
  [
    0x8c,
    [4, (p) => ({ kind: 'token-failed', child: p.readUInt32BE(0), why: p.toString('utf8', 4) })],
  ],
])

const decode = (type: number, payload: Buffer): Result<ShimEvent, string> => {
  const [minBytes, decoder] = EVENTS.get(type) ?? []
  if (decoder === undefined || minBytes === undefined) return fail(`unknown frame type ${type}`)
  if (payload.length < minBytes)
    return fail(`frame type ${type} is too short (${payload.length} bytes)`)
  return ok(decoder(payload))
}

/** Collects bytes of one connection and hands out whole frames. What is not whole yet is copied once. */
export class FrameReader {
  private readonly pending = new Gathered()
  /** So many bytes have to be there before there is anything to look at. */
  private needed = HEADER_BYTES

  /** The events that are complete with this chunk; an error means: end the connection. */
  push(chunk: Buffer): Result<readonly ShimEvent[], string> {
    this.pending.add(chunk)
    if (this.pending.length < this.needed) return ok([])
    const bytes = this.pending.take()
    const events: ShimEvent[] = []
    let start = 0
    this.needed = HEADER_BYTES
    while (bytes.length - start >= this.needed) {
      const length = bytes.readUInt32BE(start)
      if (length < 1 || length > MAX_FRAME_BYTES) return fail(`a frame of ${length} bytes`)
      const end = start + 4 + length
      if (bytes.length < end) {
        this.needed = 4 + length
        break
      }
      const event = decode(bytes.readUInt8(start + 4), bytes.subarray(start + HEADER_BYTES, end))
      if (!event.ok) return event
      events.push(event.value)
      start = end
    }
    this.pending.add(bytes.subarray(start))
    return ok(events)
  }
}
