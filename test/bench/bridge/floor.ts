// The floor of the bridge bench: the least that joins HTTP sessions to stdio children, as somebody
// good would write it by hand on node:http. No auth, no policy, no telemetry, no validation, no
// limits, no streams: what any of them costs is what the bench shows.
// usage: node floor.ts [--shared] [--any] -- COMMAND ARGS...

import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

type Message = { id?: string | number; method?: string; [key: string]: unknown }
type Waiting = { readonly res: ServerResponse; readonly id: string | number }

const separator = process.argv.indexOf('--')
const [command = '', ...args] = process.argv.slice(separator + 1)
const flags = process.argv.slice(2, separator)
const isShared = flags.includes('--shared')
/** As a server in a container listens: at every address. */
const host = flags.includes('--any') ? '0.0.0.0' : '127.0.0.1'

class Child {
  readonly #process: ChildProcess
  readonly #pending = new Map<number, Waiting>()
  #counter = 0
  #rest = ''

  constructor() {
    this.#process = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#process.stdout?.setEncoding('utf8').on('data', (chunk: string) => this.#read(chunk))
  }

  send(message: Message, res: ServerResponse): void {
    if (message.id === undefined) {
      res.writeHead(202).end()
    } else {
      this.#counter += 1
      this.#pending.set(this.#counter, { res, id: message.id })
      message.id = this.#counter
    }
    this.#process.stdin?.write(`${JSON.stringify(message)}\n`)
  }

  end(): void {
    this.#process.stdin?.end()
  }

  #read(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#answer(JSON.parse(line))
  }

  #answer(message: Message): void {
    const waiting = this.#pending.get(Number(message.id))
    if (waiting === undefined) return
    this.#pending.delete(Number(message.id))
    message.id = waiting.id
    const body = Buffer.from(JSON.stringify(message))
    waiting.res.writeHead(200, {
      'content-type': 'application/json',
      'content-length': body.length,
    })
    waiting.res.end(body)
  }
}

const sessions = new Map<string, Child>()
let sharedChild: Child | undefined

const shared = (): Child => {
  sharedChild ??= new Child()
  return sharedChild
}

const open = (res: ServerResponse): Child => {
  const id = randomUUID()
  const child = isShared ? shared() : new Child()
  sessions.set(id, child)
  res.setHeader('mcp-session-id', id)
  return child
}

const close = (id: string, res: ServerResponse): void => {
  if (!isShared) sessions.get(id)?.end()
  sessions.delete(id)
  res.writeHead(204).end()
}

const handle = (req: IncomingMessage, body: Buffer, res: ServerResponse): void => {
  const id = req.headers['mcp-session-id']
  if (req.method === 'DELETE') return close(String(id), res)
  const message: Message = JSON.parse(body.toString())
  if (typeof id === 'string') {
    const child = sessions.get(id)
    if (child === undefined) res.writeHead(404).end()
    else child.send(message, res)
  } else if (message.method === 'initialize') {
    open(res).send(message, res)
  } else {
    shared().send(message, res)
  }
}

const server = createServer((req, res) => {
  const chunks: Buffer[] = []
  req.on('data', (chunk: Buffer) => chunks.push(chunk))
  req.on('end', () => handle(req, Buffer.concat(chunks), res))
})
server.listen(0, host, () => {
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  process.stdout.write(`floor: listening on http://127.0.0.1:${port}/mcp\n`)
})
