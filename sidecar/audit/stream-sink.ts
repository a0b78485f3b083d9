// Records to a descriptor that is open already: standard output. It is a pipe that somebody empties; while nobody does, the
// write waits off the event loop.

import { write } from 'node:fs'
import { promisify } from 'node:util'
import { codeOf } from '../../shared/error-code.ts'
import type { Sink } from './sink.ts'

const writeTo = promisify(write)
/** A pipe that does not block is full: it is asked again after so long. */
const AGAIN_MS = 5

export const streamSink = (descriptor: number): Sink => ({
  write: async (bytes) => {
    for (;;) {
      try {
        const { bytesWritten } = await writeTo(descriptor, bytes, 0, bytes.length, null)
        return bytesWritten
      } catch (error) {
        if (codeOf(error) !== 'EAGAIN') throw error
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
      }
    }
  },
  rotate: () => undefined,
  close: () => Promise.resolve(),
})
