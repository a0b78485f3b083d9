// Whom a TLS client asks for: the server name of its ClientHello (RFC 8446, section 4.1.2; RFC 6066, section 3), also where it is
// in several records. Strict: what a server could read in another way is no ClientHello. Pure.

/** The longest, its records' heads included: real ones have 200 to 2,000 bytes. */
export const MAX_HELLO_BYTES = 16 * 1024
const MAX_RECORDS = 16
const RECORD_HEAD = 5
const MESSAGE_HEAD = 4
const MAX_RECORD_BYTES = 16 * 1024
export const HANDSHAKE = 22
export const CLIENT_HELLO = 1
const SERVER_NAME = 0
const HOST_NAME = 0
/** Encrypted Client Hello (RFC 9849), its drafts, and what there was before it. */
const ENCRYPTED_HELLO = [0xfe0d, 0xfe0c, 0xfe0b, 0xfe0a, 0xfe09, 0xfe08, 0xffce]

export interface Hello {
  /** As it is written there; undefined where none is asked for. */
  readonly serverName: string | undefined
  /** Whether it may ask for another one where nobody can read it. */
  readonly isEncrypted: boolean
  /** How much of the bytes it is. */
  readonly length: number
}

export type ReadHello =
  | Hello
  /** So many bytes are needed to know more. */
  | { readonly needs: number }
  | 'none'

/** Reads numbers and vectors; whatever is not there makes it broken for good. */
class Reader {
  isBroken = false
  private readonly bytes: Uint8Array
  private at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get isDone(): boolean {
    return this.isBroken || this.at === this.bytes.length
  }

  number(size: number): number {
    let value = 0
    for (const byte of this.take(size)) value = value * 256 + byte
    return value
  }

  /** What stands behind its own length. */
  vector(size: number): Uint8Array {
    return this.take(this.number(size))
  }

  take(length: number): Uint8Array {
    if (this.isBroken || this.at + length > this.bytes.length) {
      this.isBroken = true
      return new Uint8Array()
    }
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }
}

interface Message {
  readonly body: Uint8Array
  readonly length: number
}

/** Where the record that begins here ends; `none` where no part of a handshake begins. */
const recordEnd = (bytes: Uint8Array, at: number): number | 'none' => {
  const [type, major, , high = 0, low = 0] = bytes.subarray(at, at + RECORD_HEAD)
  const length = high * 256 + low
  const end = at + RECORD_HEAD + length
  const isRight = type === HANDSHAKE && major === 3 && length > 0 && length <= MAX_RECORD_BYTES
  return isRight && end <= MAX_HELLO_BYTES ? end : 'none'
}

/** The first handshake message in records: it ends where a record ends, for nothing may follow it yet. */
const messageIn = (bytes: Uint8Array): Message | { readonly needs: number } | 'none' => {
  const pieces: Uint8Array[] = []
  let [at, have] = [0, 0]
  while (pieces.length < MAX_RECORDS) {
    if (at + RECORD_HEAD > bytes.length) return { needs: at + RECORD_HEAD }
    const end = recordEnd(bytes, at)
    if (end === 'none') return 'none'
    if (end > bytes.length) return { needs: end }
    pieces.push(bytes.subarray(at + RECORD_HEAD, end))
    have += end - at - RECORD_HEAD
    at = end
    const body = wholeOf(pieces, have)
    if (body) return body === 'none' ? 'none' : { body, length: at }
  }
  return 'none'
}

/** The body of a message that is there as a whole; undefined where more of it is to come. */
const wholeOf = (pieces: readonly Uint8Array[], have: number): Uint8Array | 'none' | undefined => {
  if (pieces[0]?.[0] !== CLIENT_HELLO) return 'none'
  if (have < MESSAGE_HEAD) return undefined
  const bytes = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces)
  const length = new Reader(bytes.subarray(1)).number(3)
  if (length > MAX_HELLO_BYTES || have > MESSAGE_HEAD + length) return 'none'
  return have === MESSAGE_HEAD + length ? bytes.subarray(MESSAGE_HEAD) : undefined
}

/** Extensions by type; undefined where they are none, or one is there twice. */
const extensionsIn = (body: Uint8Array): ReadonlyMap<number, Uint8Array> | undefined => {
  const reader = new Reader(body)
  // Version and random; session, cipher suites, compression.
  reader.take(2 + 32)
  reader.vector(1)
  reader.vector(2)
  reader.vector(1)
  const found = new Map<number, Uint8Array>()
  if (reader.isDone) return reader.isBroken ? undefined : found
  const list = new Reader(reader.vector(2))
  while (!list.isDone) {
    const type = list.number(2)
    if (found.has(type)) return undefined
    found.set(type, list.vector(2))
  }
  return reader.isBroken || list.isBroken || !reader.isDone ? undefined : found
}

/** The one host name of the extension; undefined where it is anything else. */
const nameIn = (extension: Uint8Array): string | undefined => {
  const reader = new Reader(extension)
  const list = new Reader(reader.vector(2))
  const type = list.number(1)
  const name = list.vector(2)
  const isRight = !list.isBroken && list.isDone && !reader.isBroken && reader.isDone
  const text = Buffer.from(name).toString('latin1')
  return isRight && type === HOST_NAME && /^[!-~]{1,255}$/.test(text) ? text : undefined
}

/** The ClientHello that bytes of a TLS client begin with. */
export const readHello = (bytes: Uint8Array): ReadHello => {
  const message = messageIn(bytes)
  if (message === 'none' || 'needs' in message) return message
  const extensions = extensionsIn(message.body)
  if (!extensions) return 'none'
  const extension = extensions.get(SERVER_NAME)
  const serverName = extension && nameIn(extension)
  if (extension && serverName === undefined) return 'none'
  return {
    serverName,
    isEncrypted: ENCRYPTED_HELLO.some((type) => extensions.has(type)),
    length: message.length,
  }
}
