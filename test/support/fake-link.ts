// A link in memory: what was sent over it, and a way to speak as the server.

import type { Fault } from '../../sidecar/mcp/faults.ts'
import {
  notReading,
  type Envelope,
  type Link,
  type LinkEnd,
  type LinkOwner,
} from '../../sidecar/server/link.ts'
import { readServerLine } from '../../sidecar/mcp/server-line.ts'
import { aMessage } from './messages.ts'

export class FakeLink implements Link {
  owner: LinkOwner | undefined
  readonly sent: string[] = []
  readonly abandoned: number[] = []
  isClosed = false
  isPaused = false
  /** Whether the server reads its input. */
  isReading = true

  send(text: string, _envelope: Envelope): Fault | undefined {
    if (!this.isReading) return notReading('8 messages')
    this.sent.push(Buffer.from(text, 'latin1').toString())
    return undefined
  }

  abandon(id: number): void {
    this.abandoned.push(id)
  }

  pause(): void {
    this.isPaused = true
  }

  look(): void {
    // Nothing happens here that nobody tells.
  }

  resume(): void {
    this.isPaused = false
  }

  close(): void {
    this.isClosed = true
  }

  /** The server says this. */
  says(body: string, relatedTo?: number): void {
    this.owner?.message(aMessage(body), relatedTo)
  }

  /** The server writes this line, whatever it is; `relatedTo`: on the stream of that request's answer. */
  writes(line: string | Buffer, relatedTo?: number): void {
    const read = readServerLine(typeof line === 'string' ? Buffer.from(line) : line)
    if (read.kind === 'odd') this.owner?.odd(read, relatedTo)
    else this.owner?.message(read, relatedTo)
  }

  ends(end: LinkEnd): void {
    this.owner?.ended(end)
  }
}
