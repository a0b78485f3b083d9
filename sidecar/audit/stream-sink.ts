// Records and checkpoints to a descriptor that is open already: standard output. It is a pipe that somebody empties; while
// nobody does, the write waits off the event loop. Lines go out one behind the other, whoever writes them: a pipe takes a
// part of one, and what another wrote in between would stand within it.

import { write } from 'node:fs'
import { promisify } from 'node:util'
import { codeOf } from '../../shared/error-code.ts'
import type { Sink } from './sink.ts'

const writeTo = promisify(write)
/** A pipe that does not block is full: it is asked again after so long. */
const AGAIN_MS = 5
const NEWLINE = 10
const NOTHING = Buffer.alloc(0)

export class StreamSink implements Sink {
  private readonly descriptor: number
  /** Resolves when the last who asked for a turn has had it. */
  private turn = Promise.resolve()
  /** Ends the turn of records, which lasts while one of them is not out whole. */
  private endTurn: (() => void) | undefined
  private isWithinRecord = false
  /** Of a checkpoint whose write has failed in the middle. */
  private rest = NOTHING

  constructor(descriptor: number) {
    this.descriptor = descriptor
  }

  async write(bytes: Buffer): Promise<number> {
    this.endTurn ??= await this.takeTurn()
    try {
      await this.writeRest()
      const written = await this.writeSome(bytes)
      this.isWithinRecord = bytes[written - 1] !== NEWLINE
      return written
    } finally {
      if (!this.isWithinRecord) {
        this.endTurn()
        this.endTurn = undefined
      }
    }
  }

  /** A line of another kind. Rejects where it is not out. */
  async tell(line: string): Promise<void> {
    const endTurn = await this.takeTurn()
    try {
      await this.writeRest()
      const bytes = Buffer.from(line)
      this.rest = bytes
      try {
        await this.writeRest()
      } catch (error) {
        if (this.rest.length === bytes.length) this.rest = NOTHING
        throw error
      }
    } finally {
      endTurn()
    }
  }

  rotate(): undefined {
    return undefined
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  private async takeTurn(): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = this.turn
    this.turn = promise
    await before
    return resolve
  }

  private async writeRest(): Promise<void> {
    while (this.rest.length > 0) this.rest = this.rest.subarray(await this.writeSome(this.rest))
  }

  private async writeSome(bytes: Buffer): Promise<number> {
    for (;;) {
      try {
        const { bytesWritten } = await writeTo(this.descriptor, bytes, 0, bytes.length, null)
        return bytesWritten
      } catch (error) {
        if (codeOf(error) !== 'EAGAIN') throw error
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
      }
    }
  }
}
