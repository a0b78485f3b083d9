// What a client says first, before any of it goes on: where it is TLS, whom it asks for must be whom it was let through to.
// Bytes in, bytes or a refusal out; it holds no more than one ClientHello. Fails closed. Pure.

import { CLIENT_HELLO, HANDSHAKE, MAX_HELLO_BYTES, readHello, type Hello } from './client-hello.ts'
import type { Why } from '../reach/why.ts'

export interface GateRules {
  /** Whether nothing but TLS may pass. */
  readonly isTlsPort: boolean
  /** Whether a server's name may be asked for; undefined where none is. */
  readonly accepts: (serverName: string | undefined) => boolean
  /** Goes through with what it would refuse, and says so. */
  readonly isLenient: boolean
}

export type Refused = Extract<Why, 'no-tls' | 'tls-name' | 'tls-encrypted-name'>

export interface Step {
  /** What goes on. */
  readonly bytes: Buffer
  /** It has seen enough: what comes now goes on unread. */
  readonly isOpen: boolean
  /** Why nothing goes on, or, where it is lenient, why it would not have. */
  readonly refused?: Refused
}

const NOTHING: Step = { bytes: Buffer.alloc(0), isOpen: false }
const CHANGE_CIPHER_SPEC = 20
const ALERT = 21
const RECORD_HEAD = 5
/** Type, length and version of a message. */
const SEEN_OF_MESSAGE = 6

/**
 * `first`: nothing is known. `second`: a first ClientHello has gone on, and a server may ask for another (RFC 8446, section
 * 4.1.4), which some servers believe rather than the first.
 */
type State = 'first' | 'second' | 'open' | 'shut'

export class TlsGate {
  private readonly rules: GateRules
  private state: State = 'first'
  private pieces: Buffer[] = []
  private have = 0
  private needs = 1

  constructor(rules: GateRules) {
    this.rules = rules
  }

  /** Whether something is held that more has to follow before it goes on. */
  get isWaiting(): boolean {
    return this.have > 0
  }

  push(piece: Buffer): Step {
    if (this.state === 'open') return { bytes: piece, isOpen: true }
    if (this.state === 'shut') return NOTHING
    this.pieces.push(piece)
    this.have += piece.length
    if (this.have < this.needs) return NOTHING
    const bytes = this.pieces.length === 1 ? piece : Buffer.concat(this.pieces)
    this.pieces = [bytes]
    return this.state === 'first' ? this.first(bytes) : this.second(bytes)
  }

  private first(bytes: Buffer): Step {
    const [type, major] = bytes
    if (type !== HANDSHAKE || (major !== undefined && major !== 3)) {
      return this.rules.isTlsPort ? this.refuse('no-tls', bytes) : this.open(bytes)
    }
    return major === undefined ? this.hold(2) : this.hello(bytes, 0)
  }

  private hello(bytes: Buffer, at: number): Step {
    const hello = readHello(bytes.subarray(at))
    if (hello === 'none') return this.refuse('no-tls', bytes)
    if ('needs' in hello) return this.hold(at + hello.needs)
    const refused = this.fault(hello)
    if (refused) return this.refuse(refused, bytes)
    const end = at + hello.length
    // There is no third.
    if (this.state === 'second') return this.open(bytes)
    this.state = 'second'
    this.keep(bytes.subarray(end))
    const passed = { bytes: bytes.subarray(0, end), isOpen: false }
    if (this.have === 0) return passed
    const next = this.second(bytes.subarray(end))
    return next.refused && !this.rules.isLenient
      ? next
      : { ...next, bytes: Buffer.concat([passed.bytes, next.bytes]) }
  }

  private fault({ serverName, isEncrypted }: Hello): Refused | undefined {
    if (isEncrypted) return 'tls-encrypted-name'
    return this.rules.accepts(serverName) ? undefined : 'tls-name'
  }

  /** Records between the first ClientHello and whatever is no second one. */
  private second(bytes: Buffer): Step {
    let at = 0
    while (at + RECORD_HEAD <= bytes.length) {
      const end = at + RECORD_HEAD + bytes.readUInt16BE(at + 3)
      const type = bytes[at]
      if (type === HANDSHAKE) return this.handshake(bytes, at, end)
      if (type !== CHANGE_CIPHER_SPEC && type !== ALERT) return this.open(bytes)
      if (end > bytes.length) break
      at = end
    }
    this.keep(bytes.subarray(at))
    // Neither of them is long.
    if (this.have > MAX_HELLO_BYTES) return this.refuse('no-tls', bytes)
    this.needs = this.have + 1
    return { bytes: bytes.subarray(0, at), isOpen: false }
  }

  private handshake(bytes: Buffer, at: number, end: number): Step {
    const begin = at + RECORD_HEAD
    // So short a one is made by whoever cuts a message up in order not to be read.
    if (end - begin < SEEN_OF_MESSAGE) return this.refuse('no-tls', bytes)
    if (bytes.length < begin + SEEN_OF_MESSAGE) return this.hold(begin + SEEN_OF_MESSAGE)
    const isHello =
      bytes[begin] === CLIENT_HELLO && bytes[begin + 4] === 3 && bytes[begin + 5] === 3
    return isHello ? this.hello(bytes, at) : this.open(bytes)
  }

  private hold(needs: number): Step {
    this.needs = needs
    return NOTHING
  }

  private keep(bytes: Buffer): void {
    this.pieces = bytes.length === 0 ? [] : [bytes]
    this.have = bytes.length
    this.needs = this.have + 1
  }

  private open(bytes: Buffer): Step {
    this.state = 'open'
    this.keep(NOTHING.bytes)
    return { bytes, isOpen: true }
  }

  private refuse(refused: Refused, bytes: Buffer): Step {
    if (this.rules.isLenient) return { ...this.open(bytes), refused }
    this.state = 'shut'
    this.keep(NOTHING.bytes)
    return { ...NOTHING, refused }
  }
}
