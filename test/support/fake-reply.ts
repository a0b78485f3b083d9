// A reply whose client is in memory: what it has received, whether it reads, whether it has gone.

import { aBudget } from './budgets.ts'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Reply, type ReplyWatch } from '../../sidecar/http/reply.ts'

type Taken = (error?: Error | null) => void

/** The client's end: takes what is written, or holds it back. */
class Client extends Socket {
  text = ''
  isReading = true
  private readonly held: (() => void)[] = []

  override _write(chunk: unknown, _encoding: BufferEncoding, taken: Taken): void {
    const take = (): void => {
      this.text += Buffer.isBuffer(chunk) ? chunk.toString('latin1') : String(chunk)
      taken()
    }
    if (this.isReading) take()
    else this.held.push(take)
  }

  override _writev(chunks: { chunk: unknown; encoding: BufferEncoding }[], taken: Taken): void {
    const [first, ...rest] = chunks
    if (first === undefined) taken()
    else this._write(first.chunk, first.encoding, () => this._writev(rest, taken))
  }

  goOn(): void {
    this.isReading = true
    for (const take of this.held.splice(0)) take()
  }
}

export type FakeReply = {
  readonly reply: Reply
  /** Everything received, head included, as latin1. */
  readonly received: () => Promise<string>
  /** The body alone. */
  readonly body: () => Promise<string>
  /** The client goes away; the sidecar sees it in the next turn. */
  readonly hangUp: () => Promise<void>
  readonly stopReading: () => void
  readonly goOnReading: () => void
}

const NOBODY: ReplyWatch = { faulted: () => undefined, cutOff: () => undefined }

export const aReply = (nowMs = 0, budget = aBudget(), watch = NOBODY): FakeReply => {
  const request = new IncomingMessage(new Socket())
  const response = new ServerResponse(request)
  const client = new Client()
  response.assignSocket(client)
  response.sendDate = false
  // What a server's socket does.
  client.on('drain', () => response.emit('drain'))
  // A response holds back what it writes until the next turn.
  const received = async (): Promise<string> => {
    await nextTurn()
    return client.text
  }
  return {
    reply: new Reply(response, nowMs, budget, watch),
    received,
    body: async () => {
      const [, ...rest] = (await received()).split('\r\n\r\n')
      return rest.join('\r\n\r\n')
    },
    hangUp: async () => {
      response.destroy()
      await nextTurn()
    },
    stopReading: () => {
      client.isReading = false
    },
    goOnReading: () => client.goOn(),
  }
}
