// The two FIFOs of a child, opened from the sidecar's side.

import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { codeOf } from '../../shared/error-code.ts'

const openFifo = (path: string, flags: number): number => {
  const fd = openSync(path, flags | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  if (fstatSync(fd).isFIFO()) return fd
  closeSync(fd)
  throw new Error(`${path} is not a FIFO`)
}

/** A FIFO that nobody reads cannot be opened for writing (fifo(7)); no event tells of it before the next write. */
const isRead = (fd: number): boolean => {
  try {
    closeSync(openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK))
    return true
  } catch (error) {
    return codeOf(error) !== 'ENXIO'
  }
}

export interface Pipes {
  readonly stdin: Socket
  /** Whether anybody could still read what is written to stdin; not to be asked once that is closed. */
  readonly isRead: () => boolean
  /** Starts reading; a chunk is valid only during the call. */
  readonly stdout: (onChunk: (chunk: Buffer) => void) => Socket
}

/**
 * Opens both ends of a child's pipes; throws where something else lies there. All children are read
 * through one buffer: a buffer a child costs 64 KiB each, a buffer a read costs an allocation.
 */
export const openPipes = (path: string, readBuffer: Buffer): Pipes => {
  const input = openFifo(`${path}.in`, constants.O_WRONLY)
  let output: number
  try {
    output = openFifo(`${path}.out`, constants.O_RDONLY)
  } catch (error) {
    closeSync(input)
    throw error
  }
  return {
    stdin: new Socket({ fd: input, readable: false, writable: true }),
    isRead: () => isRead(input),
    stdout: (onChunk) =>
      new Socket({
        fd: output,
        readable: true,
        writable: false,
        onread: {
          buffer: readBuffer,
          callback: (bytes) => {
            onChunk(readBuffer.subarray(0, bytes))
            return true
          },
        },
      }),
  }
}
