// Memory for texts of 16 to 128 KiB that are gathered piece by piece, used again: anew it is mapped by the system and faulted
// in page by page, which takes longer than all else that is done with such a text.
//
// Nobody can look at what another writes: memory that is given back changes its owner (ECMA-262, ArrayBuffer transfer), and
// whoever still has a view of it sees that it is empty. Only what was lent here is taken back, and once.

import { SMALL_BYTES } from './budget.ts'

/** From here on the allocator maps (`life/runtime.ts`). What is large is given back to the system at once. */
const LEAST_BYTES = 16 * 1024
/** More is never kept: 2 MiB. */
const MOST_SPARES = 16

const lent = new WeakSet<ArrayBufferLike>()
/** The longest unused first. */
const spares: ArrayBuffer[] = []
/** So many of them nobody has needed since the last sweep. */
let unneeded = 0

/** Memory for so many bytes or a few more, whatever stands there. */
export const lend = (bytes: number): Buffer => {
  if (bytes < LEAST_BYTES || bytes > SMALL_BYTES) return Buffer.allocUnsafeSlow(bytes)
  const index = spares.findLastIndex(({ byteLength }) => byteLength >= bytes)
  const [spare] = index === -1 ? [] : spares.splice(index, 1)
  unneeded = Math.min(unneeded, spares.length)
  const memory = spare ? Buffer.from(spare) : Buffer.allocUnsafeSlow(bytes)
  lent.add(memory.buffer)
  return memory
}

/** Takes back what was lent; anything else is left alone. */
export const giveBack = ({ buffer }: Buffer): void => {
  if (!(buffer instanceof ArrayBuffer) || !lent.delete(buffer)) return
  spares.push(buffer.transfer())
  if (spares.length > MOST_SPARES) spares.shift()?.transfer(0)
}

/** Frees what nobody has needed since this was last asked, and says how many are left. */
export const sweepSpares = (): number => {
  for (const spare of spares.splice(0, unneeded)) spare.transfer(0)
  unneeded = spares.length
  return unneeded
}
