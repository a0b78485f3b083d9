// The proxy over HTTP: CONNECT, and requests in absolute form. Node's own parser, which is strict, reads them; who somebody is,
// is asked of every request, and nothing is said before that is known.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { codeOf } from '../../../shared/error-code.ts'
import type { DoorParts } from './door-parts.ts'
import { Exchange } from './exchange.ts'
import {
  CONNECTED,
  refusalAnswer,
  respond,
  UNKNOWN,
  unread,
  written,
  type Answer,
} from './http-reply.ts'
import { KnownHeads, namedIn, type KnownHead, type Named } from './known-heads.ts'
import { readConnect, readRequest } from './request-target.ts'
import type { Visitor } from './visitors.ts'
import type { Client } from './watch.ts'

/** Requests on one connection that have no answer yet. */
const MAX_PIPELINED = 8
/** Then a connection has named itself wrongly for long enough. */
const MAX_MISTAKES = 3
/** What the codes of the parser's errors begin with. */
const UNREADABLE = 'HPE_'
const TOO_MANY = { why: 'connections', words: 'too many connections are open' } as const

type Known =
  | { readonly client: Client; /** And has too many connections. */ readonly isCrowded: boolean }
  | 'unknown'

export class HttpDoor {
  private readonly parts: DoorParts
  private readonly server: Server
  private readonly visitors = new WeakMap<Duplex, Visitor>()
  private readonly heads: KnownHeads

  constructor(parts: DoorParts) {
    this.parts = parts
    this.heads = new KnownHeads(parts.cluster)
    this.server = createServer({
      insecureHTTPParser: false,
      maxHeaderSize: parts.desk.limits.headBytes,
      requireHostHeader: true,
      // The visitors' own times hold.
      headersTimeout: 0,
      requestTimeout: 0,
      keepAliveTimeout: 0,
    })
    this.server.on('connect', (request, _socket, early: Buffer) => {
      this.connect(request, early)
    })
    this.server.on('request', (request, response) => void this.request(request, response, false))
    this.server.on('checkContinue', (request, response) => {
      void this.request(request, response, true)
    })
    this.server.on('clientError', (error, socket) => {
      if (codeOf(error).startsWith(UNREADABLE)) {
        parts.desk.unreadable(this.visitors.get(socket)?.client, 'http')
      }
      if (socket.writable) socket.end(written(unread(codeOf(error))), () => socket.destroy())
      else socket.destroy()
    })
  }

  /** A connection with what it has said already. */
  take(visitor: Visitor, first: Buffer): void {
    const { socket } = visitor
    const read = this.heads.read(first)
    const client = read && this.named(visitor, read.head)
    if (client && this.parts.visitors.knows(visitor, client)) {
      socket.pause()
      void this.enter(visitor, client, read.head, read.early)
      return
    }
    this.visitors.set(socket, visitor)
    this.server.emit('connection', socket)
    socket.emit('data', first)
  }

  /** Whose a request is, where that is known. */
  private named(visitor: Visitor, { isNamed, credential }: Named): Client | undefined {
    if (visitor.isKnown && !isNamed) return visitor.client
    return visitor.itself(credential && this.parts.whoIs(credential))
  }

  private know(visitor: Visitor, { rawHeaders }: IncomingMessage): Known {
    const { stranger, visitors } = this.parts
    const named = namedIn(rawHeaders)
    const client = this.named(visitor, named)
    if (client) return { client, isCrowded: !visitors.knows(visitor, client) }
    visitor.mistakes++
    if (!named.isNamed) visitors.unnamed(visitor)
    else stranger(named.credential ? 'unknown-credential' : 'no-credential')
    return 'unknown'
  }

  private connect(request: IncomingMessage, early: Buffer): void {
    const { socket, rawHeaders, url = '' } = request
    const visitor = this.visitors.get(socket)
    if (!visitor) return
    const known = this.know(visitor, request)
    if (known === 'unknown') {
      this.ask(visitor, request, early)
      return
    }
    const target = readConnect(url, rawHeaders, this.parts.cluster)
    if (known.isCrowded) {
      this.parts.desk.crowded(known.client, 'connect', target.ok ? target.value : undefined)
      this.leave(visitor, refusalAnswer(TOO_MANY))
      return
    }
    void this.enter(visitor, known.client, { url, target }, early)
  }

  private async enter(
    visitor: Visitor,
    client: Client,
    { url, target }: Pick<KnownHead, 'url' | 'target'>,
    early: Buffer,
  ): Promise<void> {
    const { desk, visitors } = this.parts
    const { socket } = visitor
    // Whoever waits is not late, and a tunnel has times of its own.
    visitors.begins(visitor)
    if (!target.ok) {
      desk.malformed(client, 'connect', url)
      this.leave(visitor, refusalAnswer({ why: 'malformed', words: target.error }))
      return
    }
    const entered = await desk.enter({
      how: 'connect',
      client,
      target: target.value,
      waiting: socket,
    })
    if (!entered.ok) {
      this.leave(visitor, refusalAnswer(entered.error))
      return
    }
    socket.write(CONNECTED)
    desk.tunnel(entered.value, socket, early)
    socket.resume()
  }

  /** Who asked by CONNECT without a word of who it is has another try on the same connection. */
  private ask(visitor: Visitor, request: IncomingMessage, early: Buffer): void {
    const { socket } = visitor
    const isOpen = early.length === 0 && visitor.mistakes < MAX_MISTAKES && goesOn(request)
    if (!isOpen || visitor.client) {
      this.leave(visitor, UNKNOWN)
      return
    }
    socket.write(written(UNKNOWN, true))
    // Its parser has let go of it: the next head is another's to read.
    this.server.emit('connection', socket)
  }

  /** The last that is said to whoever asked by CONNECT. */
  private leave(visitor: Visitor, answer: Answer): void {
    visitor.socket.end(written(answer))
    visitor.socket.resume()
    this.parts.visitors.leaves(visitor)
  }

  private async request(
    request: IncomingMessage,
    response: ServerResponse,
    isAsking: boolean,
  ): Promise<void> {
    const visitor = this.visitors.get(request.socket)
    if (!visitor || visitor.underway >= MAX_PIPELINED) {
      request.socket.destroy()
      return
    }
    const known = this.know(visitor, request)
    if (known === 'unknown') {
      respond(response, UNKNOWN, visitor.mistakes >= MAX_MISTAKES || !isBodyless(request))
      return
    }
    const { visitors } = this.parts
    visitors.begins(visitor)
    response.once('close', () => visitors.ends(visitor))
    await this.forward(known, request, response, isAsking)
  }

  private async forward(
    { client, isCrowded }: Exclude<Known, 'unknown'>,
    request: IncomingMessage,
    response: ServerResponse,
    isAsking: boolean,
  ): Promise<void> {
    const { desk, cluster } = this.parts
    const { url = '', rawHeaders, httpVersion } = request
    const isLast = !isBodyless(request)
    const plain = readRequest({ url, isOld: httpVersion !== '1.1' }, rawHeaders, cluster)
    if (isCrowded) {
      desk.crowded(client, 'http', plain.ok ? plain.value.target : undefined)
      respond(response, refusalAnswer(TOO_MANY), true)
      return
    }
    if (!plain.ok) {
      desk.malformed(client, 'http', url)
      respond(response, refusalAnswer({ why: 'malformed', words: plain.error }), true)
      return
    }
    const { target } = plain.value
    const entered = await desk.enter({ how: 'http', client, target, waiting: response })
    if (!entered.ok) {
      respond(response, refusalAnswer(entered.error), isLast)
      return
    }
    desk.settle(entered.value)
    new Exchange({
      desk,
      entered: entered.value,
      request,
      response,
      plain: plain.value,
      isAsking,
    }).begin()
  }
}

/** Whether its connection may go on, as it says itself. */
const goesOn = ({ httpVersion, headers }: IncomingMessage): boolean => {
  const { connection = '', 'proxy-connection': proxied = '' } = headers
  return httpVersion === '1.1' && !/\bclose\b/i.test(`${connection} ${String(proxied)}`)
}

/** Whether nothing follows its head: then the connection can go on. */
const isBodyless = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0'
