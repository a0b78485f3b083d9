// The kernel's tables of sockets (/proc/net/tcp, tcp6, udp, udp6), read where they stand: a thousand rows make no thousand
// objects. Addresses are written as the machine has them in memory: both that we run on put the lowest byte first. Pure.

const [COLON, SPACE, NEWLINE, ZERO] = [0x3a, 0x20, 0x0a, 0x30] as const
/** Behind an address: a colon and four digits of the port, then a space. */
const PORT_DIGITS = 4
const BEHIND_ADDRESS = PORT_DIGITS + 2
/** Behind the remote address: state, queues, timer, retransmissions, each with a space. */
const [STATE, QUEUES, TIMER, RETRIES] = [3, 18, 12, 9] as const
const WORD = 8

/** States of a TCP socket (include/net/tcp_states.h). */
const LISTEN = 0x0a
/** No more a process's: it has neither owner nor inode. */
const NOBODYS = 0

const hexDigit = (byte: number): number => (byte <= 0x39 ? byte - ZERO : (byte | 0x20) - 0x61 + 10)

const hexAt = (bytes: Buffer, at: number, digits: number): number => {
  let value = 0
  for (let index = at; index < at + digits; index++)
    value = value * 16 + hexDigit(bytes[index] ?? 0)
  return value
}

/** Four bytes of an address, in the order in which people write them. */
const wordAt = (bytes: Buffer, at: number): readonly number[] =>
  [6, 4, 2, 0].map((offset) => hexAt(bytes, at + offset, 2))

const groupsOf = (octets: readonly number[]): string =>
  Array.from({ length: 8 }, (_, group) =>
    (((octets[2 * group] ?? 0) << 8) | (octets[2 * group + 1] ?? 0)).toString(16),
  ).join(':')

/** The longest run of zeros as `::` (RFC 5952). */
const shortened = (text: string): string => {
  const runs = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)]
  const [longest] = runs.toSorted((one, other) => other[0].length - one[0].length)
  if (!longest) return text
  const [before, behind] = [
    text.slice(0, longest.index),
    text.slice(longest.index + longest[0].length),
  ]
  return `${before}::${behind.replace(/^:/, '')}`
}

/** The words of an IPv4 address in IPv6's clothes but for its own. */
const MAPPED = '0,0,0,0,0,0,0,0,0,0,255,255'

/** As text; a mapped IPv4 address is that address. */
const addressAt = (bytes: Buffer, at: number, digits: number): string => {
  const words = Array.from({ length: digits / WORD }, (_, word) => wordAt(bytes, at + word * WORD))
  const last = words.at(-1) ?? []
  if (digits === WORD) return last.join('.')
  const octets = words.flat()
  return octets.slice(0, 12).join() === MAPPED ? last.join('.') : shortened(groupsOf(octets))
}

/** One row, for as long as it is looked at. */
export class Row {
  private readonly bytes: Buffer
  private readonly digits: number
  private localAt = 0
  private remoteAt = 0
  private value = 0
  state = 0
  uid = 0
  /** The socket's own number; 0 where no process has it. */
  inode = NOBODYS

  constructor(bytes: Buffer, digits: 8 | 32) {
    this.bytes = bytes
    this.digits = digits
  }

  get isListening(): boolean {
    return this.state === LISTEN
  }

  /** It is connected to somebody. */
  get isConnected(): boolean {
    return (
      this.inode !== NOBODYS &&
      !this.isListening &&
      hexAt(this.bytes, this.remotePortAt, PORT_DIGITS) !== 0
    )
  }

  get local(): string {
    return addressAt(this.bytes, this.localAt, this.digits)
  }

  get localPort(): number {
    return hexAt(this.bytes, this.localAt + this.digits + 1, PORT_DIGITS)
  }

  get remote(): string {
    return addressAt(this.bytes, this.remoteAt, this.digits)
  }

  get remotePort(): number {
    return hexAt(this.bytes, this.remotePortAt, PORT_DIGITS)
  }

  private get remotePortAt(): number {
    return this.remoteAt + this.digits + 1
  }

  /** Reads the row that begins there; false where it is none, or is cut off. */
  read(start: number, end: number): boolean {
    const { bytes, digits } = this
    const colon = bytes.indexOf(COLON, start)
    this.localAt = colon + 2
    this.remoteAt = this.localAt + digits + BEHIND_ADDRESS
    const stateAt = this.remoteAt + digits + BEHIND_ADDRESS
    const ownerAt = stateAt + STATE + QUEUES + TIMER + RETRIES
    if (colon === -1 || ownerAt >= end) return false
    this.state = hexAt(bytes, stateAt, 2)
    const uidEnd = this.numberAt(ownerAt, end)
    this.uid = this.value
    const timeoutEnd = this.numberAt(uidEnd, end)
    const inodeEnd = this.numberAt(timeoutEnd, end)
    this.inode = this.value
    return inodeEnd < end
  }

  /** Reads a decimal behind spaces into `value`; returns where it ends. */
  private numberAt(start: number, end: number): number {
    const { bytes } = this
    let at = start
    while (at < end && bytes[at] === SPACE) at++
    let value = 0
    for (; at < end && bytes[at] !== SPACE && bytes[at] !== NEWLINE; at++) {
      value = value * 10 + (bytes[at] ?? ZERO) - ZERO
    }
    this.value = value
    return at
  }
}

/** Shows each row of a table; `digits`: of an address in it. What is cut off at its end is left out. */
export const eachRow = (bytes: Buffer, digits: 8 | 32, look: (row: Row) => void): void => {
  const row = new Row(bytes, digits)
  // The first line names the columns.
  let start = bytes.indexOf(NEWLINE) + 1
  if (start === 0) return
  for (let end = bytes.indexOf(NEWLINE, start); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
    if (row.read(start, end)) look(row)
    start = end + 1
  }
}
