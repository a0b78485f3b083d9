// Large buffers are freed when they are done with: a collector sees a small object and lets it wait, and what waits so
// is many times what is held (200 bodies of 4 MiB at once; `npm run bench -- pressure`).

import { SMALL_BYTES } from './budget.ts'
import { giveBack } from './spares.ts'

/** Nobody may look at these bytes again. They must have a memory of their own where they are large. */
export const free = (bytes: Buffer): void => {
  const { buffer } = bytes
  if (bytes.length > SMALL_BYTES && buffer instanceof ArrayBuffer) buffer.transfer(0)
  else giveBack(bytes)
}

/** Below this the collector is cheaper. */
const LEAST_PIECE_BYTES = 4096

/** A piece that has been copied, as a socket's parser made it: freed where no one else has a part of its memory. */
export const freePiece = (piece: Buffer): void => {
  const { buffer } = piece
  if (piece.length < LEAST_PIECE_BYTES || piece.length !== buffer.byteLength) return
  if (buffer instanceof ArrayBuffer) buffer.transfer(0)
}
