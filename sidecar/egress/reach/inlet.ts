// What a destination says, read into memory that is used again and again: a buffer made for each read costs a third more CPU and
// twice the memory (`npm run bench -- egress`). Small where little comes, large where much does.

import type { OnReadOpts, Socket } from 'node:net'

const SMALL_BYTES = 16 * 1024
const LARGE_BYTES = 128 * 1024
/** Of those that nobody uses now: half a MiB of small ones, a MiB of large. */
const [MAX_SMALL, MAX_LARGE] = [32, 8]

/** Buffers of one size, for whoever needs one next. */
class Pool {
  private readonly spare: Buffer[] = []
  private readonly size: number
  private readonly most: number

  constructor(size: number, most: number) {
    this.size = size
    this.most = most
  }

  take(): Buffer {
    return this.spare.pop() ?? Buffer.allocUnsafeSlow(this.size)
  }

  give(buffer: Buffer): void {
    if (this.spare.length < this.most) this.spare.push(buffer)
  }
}

export class Spares {
  readonly small = new Pool(SMALL_BYTES, MAX_SMALL)
  readonly large = new Pool(LARGE_BYTES, MAX_LARGE)
}

/** Takes a piece; false where not all of it is written yet: nothing is read until `isFree`. */
type Take = (piece: Buffer) => boolean

export class Inlet {
  private readonly spares: Spares
  private readonly small: Buffer
  private buffer: Buffer
  private isPending = false
  private isReleased = false
  private take: Take = () => false

  /** For a connection that begins: it has to be paused until somebody takes. */
  readonly onread: OnReadOpts = {
    buffer: () => this.buffer,
    callback: (length) => this.read(length),
  }

  constructor(spares: Spares) {
    this.spares = spares
    this.small = spares.small.take()
    this.buffer = this.small
  }

  /** So much memory waits where a piece does. */
  get bytes(): number {
    return this.buffer.length
  }

  /** Who takes what comes from now on. */
  start(socket: Socket, take: Take): void {
    this.take = take
    socket.resume()
  }

  /** What was not written is written now. */
  isFree(socket: Socket): void {
    this.isPending = false
    socket.resume()
  }

  /** Nothing more is read: its connection is closed in this turn of the event loop. */
  release(): void {
    if (this.isReleased) return
    this.isReleased = true
    this.take = () => false
    // What is still to be written stays as it is, and is nobody else's.
    if (this.isPending) return
    this.shrink()
    this.spares.small.give(this.small)
  }

  private read(length: number): boolean {
    const piece = this.buffer.subarray(0, length)
    this.isPending = !this.take(piece)
    if (this.isPending) return false
    if (this.buffer === this.small && length === SMALL_BYTES) this.buffer = this.spares.large.take()
    else if (length < SMALL_BYTES / 2) this.shrink()
    return true
  }

  private shrink(): void {
    if (this.buffer === this.small) return
    this.spares.large.give(this.buffer)
    this.buffer = this.small
  }
}
