// Bytes from one stream to another: no more are read than the other takes, and each piece is told once.

import type { Readable, Writable } from 'node:stream'

export interface Passing {
  /** What of a piece goes on; undefined where nothing does. */
  readonly piece: (piece: Buffer) => Buffer | undefined
  /** So much waits to be written. */
  readonly held: (bytes: number) => void
}

/** Returns what says how many bytes wait. Ends the other when the one has ended; failures are the caller's. */
export const pump = (from: Readable, to: Writable, { piece, held }: Passing): void => {
  from.on('data', (read: Buffer) => {
    const bytes = piece(read)
    if (bytes === undefined || bytes.length === 0) return
    if (to.write(bytes)) return
    from.pause()
    held(to.writableLength)
  })
  to.on('drain', () => {
    held(0)
    from.resume()
  })
  from.on('end', () => {
    // To say so to who has gone would make an error of it.
    if (!to.destroyed) to.end()
  })
}
