// A body that arrives in pieces, whole and bounded. Most come as one piece, which then is the whole.

import { free, freePiece } from './freed.ts'
import { Gathered } from './gathered.ts'

export class Whole {
  private readonly maxBytes: number
  private readonly gathered: Gathered
  private only: Buffer | undefined

  /** `expected`: how many bytes there will be, where that is known. */
  constructor(maxBytes: number, expected = 0) {
    this.maxBytes = maxBytes
    this.gathered = new Gathered(expected)
  }

  get length(): number {
    return this.only?.length ?? this.gathered.length
  }

  /** The piece is ours from then on. False where the bound is passed; then nothing is kept. */
  add(piece: Buffer): boolean {
    const { only, gathered } = this
    const bytes = (only?.length ?? gathered.length) + piece.length
    if (bytes > this.maxBytes) {
      free(this.take())
      return false
    }
    if (bytes === piece.length) {
      this.only = piece
      return true
    }
    if (only) this.copy(only)
    this.only = undefined
    this.copy(piece)
    return true
  }

  private copy(piece: Buffer): void {
    this.gathered.add(piece)
    freePiece(piece)
  }

  /** Hands out everything, which is the caller's from then on. */
  take(): Buffer {
    const whole = this.only ?? this.gathered.take()
    this.only = undefined
    return whole
  }
}
