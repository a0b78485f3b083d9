// What a destination says, read into memory that is used again and again: a buffer made for each read costs a third more CPU and
// twice the memory (`npm run bench -- egress`). Small where little comes, large where much does.

import type { OnReadOpts, Socket } from 'node:net'

const SMALL_BYTES = 16 * 1024
const LARGE_BYTES = 128 * 1024
/** Large ones that nobody uses now. */
const MAX_SPARE = 8

/** Large buffers, for whoever needs one next. */
export class Spares {
  private readonly spare: Buffer[] = []

  take(): Buffer {
    return this.spare.pop() ?? Buffer.allocUnsafeSlow(LARGE_BYTES)
  }

  give(buffer: Buffer): void {
    if (this.spare.length < MAX_SPARE) this.spare.push(buffer)
  }
}

/** Takes a piece; false where not all of it is written yet: nothing is read until `isFree`. */
type Take = (piece: Buffer) => boolean

export class Inlet {
  private readonly spares: Spares
  private readonly small = Buffer.allocUnsafeSlow(SMALL_BYTES)
  private buffer: Buffer = this.small
  private isPending = false
  private take: Take = () => false

  /** For a connection that begins: it has to be paused until somebody takes. */
  readonly onread: OnReadOpts = {
    buffer: () => this.buffer,
    callback: (length) => this.read(length),
  }

  constructor(spares: Spares) {
    this.spares = spares
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

  /** Nothing more is read. */
  release(): void {
    this.take = () => false
    // What is still to be written stays as it is.
    if (!this.isPending) this.shrink()
  }

  private read(length: number): boolean {
    const piece = this.buffer.subarray(0, length)
    this.isPending = !this.take(piece)
    if (this.isPending) return false
    if (this.buffer === this.small && length === SMALL_BYTES) this.buffer = this.spares.take()
    else if (length < SMALL_BYTES / 2) this.shrink()
    return true
  }

  private shrink(): void {
    if (this.buffer === this.small) return
    this.spares.give(this.buffer)
    this.buffer = this.small
  }
}
