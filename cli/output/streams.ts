// The process's standard streams as what can be relied on. Node writes to a file or a device with one
// call and takes a short count for success, so that a disk that fills up in the middle goes unnoticed.

import { fstatSync, writeSync } from 'node:fs'
import { Writable } from 'node:stream'
import { isatty } from 'node:tty'

/** Writes bytes, and returns how many of them the system has taken. */
type Take = (bytes: Uint8Array) => number

/** A file or a device: each text is out, or has failed, before the next is taken. */
export const fileStream = (take: Take): Writable =>
  new Writable({
    write(chunk: Buffer, _encoding, done) {
      try {
        let rest: Buffer = chunk
        while (rest.length > 0) rest = rest.subarray(take(rest))
        done()
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)))
      }
    },
  })

const isFile = (fd: number): boolean => {
  const kind = fstatSync(fd)
  return !kind.isFIFO() && !kind.isSocket() && !isatty(fd)
}

/** What to write to: the runtime's own stream for pipes, sockets and terminals, else ours. */
export const streamFor = (fd: number, stream: Writable): Writable =>
  isFile(fd) ? fileStream((bytes) => writeSync(fd, bytes)) : stream
