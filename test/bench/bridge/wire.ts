// One keep-alive HTTP/1.1 connection on a raw socket, one request at a time, with just enough of a
// response parser for the answers of MCP bridges. The load generator shares two cores with what it
// measures, so this reads a body only when told to.

import { connect, type Socket } from 'node:net'

export type Answer = {
  readonly status: number
  /** Status line and headers. */
  readonly head: string
  /** Empty unless the connection collects bodies. */
  readonly body: string
}

const HEAD_END = Buffer.from('\r\n\r\n')
const LAST_CHUNK = '0\r\n\r\n'
const NOTHING: Buffer = Buffer.alloc(0)

const header = (head: string, name: string): string | undefined => {
  const start = head.toLowerCase().indexOf(`\r\n${name}:`)
  if (start < 0) return undefined
  const end = head.indexOf('\r\n', start + 2)
  return head.slice(start + name.length + 3, end < 0 ? undefined : end).trim()
}

export class Wire {
  /** Whether answers come with their bodies. */
  collects = true
  readonly #socket: Socket
  readonly #onFault: (error: Error) => void
  #done: ((answer: Answer) => void) | undefined
  #head = ''
  #status = 0
  #early = NOTHING
  #remaining: number | 'chunked' = 0
  #tail = ''
  #body: Buffer[] = []

  constructor(host: string, port: number, onFault: (error: Error) => void) {
    this.#onFault = onFault
    this.#socket = connect({ host, port, noDelay: true })
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk))
    this.#socket.on('error', onFault)
    this.#socket.on('end', () => {
      if (this.#done !== undefined) onFault(new Error('connection closed before an answer'))
    })
  }

  /** Sends a whole request; `done` is called once with the whole answer. */
  send(request: Buffer, done: (answer: Answer) => void): void {
    this.#done = done
    // A server may close what has been silent for long, as on a machine that hardly gets to it.
    if (this.#socket.destroyed) this.#onFault(new Error('connection closed between two calls'))
    else this.#socket.write(request)
  }

  /** Like `send`, for requests outside the measured loop. */
  ask(request: Buffer): Promise<Answer> {
    return new Promise((resolve) => {
      this.send(request, resolve)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    if (this.#head !== '') return this.#take(chunk)
    const start = this.#early.length > 0 ? Buffer.concat([this.#early, chunk]) : chunk
    const end = start.indexOf(HEAD_END)
    if (end < 0) {
      this.#early = start
      return
    }
    this.#early = NOTHING
    this.#head = start.toString('latin1', 0, end)
    this.#status = Number(this.#head.slice(9, 12))
    const isChunked = header(this.#head, 'transfer-encoding') === 'chunked'
    this.#remaining = isChunked ? 'chunked' : Number(header(this.#head, 'content-length') ?? 0)
    this.#take(start.subarray(end + HEAD_END.length))
  }

  #take(chunk: Buffer): void {
    if (this.collects) this.#body.push(chunk)
    if (this.#remaining === 'chunked') {
      this.#tail = (this.#tail + chunk.subarray(-LAST_CHUNK.length).toString('latin1')).slice(
        -LAST_CHUNK.length,
      )
      if (this.#tail === LAST_CHUNK) this.#finish()
    } else {
      this.#remaining -= chunk.length
      if (this.#remaining <= 0) this.#finish()
    }
  }

  #finish(): void {
    const answer = {
      status: this.#status,
      head: this.#head,
      body: this.collects ? Buffer.concat(this.#body).toString() : '',
    }
    const done = this.#done
    this.#done = undefined
    this.#head = ''
    this.#tail = ''
    this.#body = []
    done?.(answer)
  }
}

/** The session that an answer to `initialize` opened. */
export const sessionOf = (answer: Answer): string | undefined =>
  header(answer.head, 'mcp-session-id')
