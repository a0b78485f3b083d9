// Clients that have gone without a word: their machine is lost, or the way to it. What we send is not acknowledged, and
// the kernel would go on sending it for a quarter of an hour, while their session and its server wait for them. Node has
// no TCP_USER_TIMEOUT, and the kernel's own keep-alive is silent while something is unacknowledged; but the kernel's
// table of connections says how often it has tried. Where there is no such table (not Linux) nothing is done.

import { open } from 'node:fs/promises'
import type { Socket } from 'node:net'

const TABLES = ['/proc/net/tcp', '/proc/net/tcp6']
const LOOK_MS = 15_000
const PIECE_BYTES = 64 * 1024
/** A row has 150 bytes: a hundred thousand connections of one network namespace. */
const MOST_BYTES = 16 * 1024 * 1024
/** So often the same has been sent, or asked, without an answer; an answer of any kind makes it none. */
const TRIES = 3
/** In so many looks in a row: for half a minute. */
const LOOKS = 3

/** The two ends of a connection, as text that does not depend on how they were written. */
export type Ends = string

const NUMBER = (hex: string): number => Number.parseInt(hex, 16)

/** The kernel prints words of 32 bits as a little-endian machine has them. */
const addressOf = (hex: string): string => {
  const bytes = Buffer.from(hex, 'hex').swap32()
  if (bytes.length === 4) return bytes.join('.')
  const groups = bytes.toString('hex').match(/.{4}/g) ?? []
  return canonical(groups.join(':'))
}

const MAPPED = /^::ffff:([\d.]+)$/i

/** One spelling of an address: an IPv4 one that came to a socket of both families is that address. */
const canonical = (address: string): string => {
  if (!address.includes(':')) return address
  const dotted = MAPPED.exec(address)?.[1]
  if (dotted !== undefined) return dotted
  const { hostname } = new URL(`http://[${address.replace(/%.*/, '')}]`)
  const [, high = '', low = ''] = /^\[::ffff:([\da-f]+):([\da-f]+)\]$/.exec(hostname) ?? []
  if (high === '') return hostname
  return [NUMBER(high) >> 8, NUMBER(high) & 255, NUMBER(low) >> 8, NUMBER(low) & 255].join('.')
}

const endsOf = (local: string, localPort: number, remote: string, remotePort: number): Ends =>
  `${local} ${localPort} ${remote} ${remotePort}`

const END = '([0-9A-F]{8,32}):([0-9A-F]{4})'
/** Established, or closed by the peer alone; sending again (1), or asking a full peer whether it has room (4). */
const ROW = new RegExp(`: ${END} ${END} 0[18] \\S+ 0[14]:\\S+ ([0-9A-F]{8}) +\\d+ +(\\d+) `, 'g')

/** The connections in rows of the kernel's table whose peer has answered none of the last tries. */
export const silentIn = (rows: string): readonly Ends[] => {
  const silent: Ends[] = []
  for (const row of rows.matchAll(ROW)) {
    const [, local = '', localPort = '', remote = '', remotePort = '', sent = '', asked = ''] = row
    if (Math.max(NUMBER(sent), Number(asked)) < TRIES) continue
    silent.push(endsOf(addressOf(local), NUMBER(localPort), addressOf(remote), NUMBER(remotePort)))
  }
  return silent
}

/** Reads a table piece by piece, whole rows each. */
const rowsIn = async function* (path: string): AsyncGenerator<string, void> {
  const file = await open(path)
  try {
    const piece = Buffer.allocUnsafe(PIECE_BYTES)
    let rest = ''
    for (let read = 0; read < MOST_BYTES;) {
      const { bytesRead } = await file.read(piece, 0, PIECE_BYTES, null)
      if (bytesRead === 0) break
      read += bytesRead
      const text = rest + piece.toString('latin1', 0, bytesRead)
      const end = text.lastIndexOf('\n') + 1
      rest = text.slice(end)
      yield text.slice(0, end)
    }
  } finally {
    await file.close()
  }
}

const allSilent = async (): Promise<ReadonlySet<Ends>> => {
  const silent = new Set<Ends>()
  for (const path of TABLES) {
    try {
      for await (const rows of rowsIn(path)) for (const ends of silentIn(rows)) silent.add(ends)
    } catch {
      // No such family, or no such table: nothing is known to be dead.
    }
  }
  return silent
}

export class DeadPeers {
  private readonly sockets = new Set<Socket>()
  private lookedMs = -Infinity
  private isLooking = false
  /** In how many looks in a row it has been silent. */
  private suspects: ReadonlyMap<Ends, number> = new Map()

  /** Looks after a connection until it closes. */
  add(socket: Socket): void {
    this.sockets.add(socket)
    socket.once('close', () => this.sockets.delete(socket))
  }

  /** Now and then looks for those that are dead, and cuts them off. */
  sweep(nowMs: number): void {
    if (this.isLooking || this.sockets.size === 0 || nowMs - this.lookedMs < LOOK_MS) return
    this.lookedMs = nowMs
    this.isLooking = true
    void allSilent().then((silent) => {
      this.isLooking = false
      const looks = (ends: Ends): number => (this.suspects.get(ends) ?? 0) + 1
      this.suspects = new Map([...silent].map((ends) => [ends, looks(ends)]))
      if (silent.size > 0) this.cut()
    })
  }

  private cut(): void {
    for (const socket of this.sockets) {
      const { localAddress = '', localPort = 0, remoteAddress = '', remotePort = 0 } = socket
      const ends = endsOf(canonical(localAddress), localPort, canonical(remoteAddress), remotePort)
      if ((this.suspects.get(ends) ?? 0) >= LOOKS) socket.destroy()
    }
  }
}
