// The HTTP listener that clients reach: the MCP path, CORS, every time and size bounded. What a request on that path
// means, and what answers it, is somebody else's business.

import { Server, type IncomingMessage, type ServerOptions, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Budget } from '../bytes/budget.ts'
import { MCP_PATH } from '../../shared/names.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import type { Remarks } from '../mcp/tolerance.ts'
import { MAX_HEADERS } from './exchange.ts'
import { corsHeaders, PREFLIGHT } from './cors.ts'
import type { Peers } from './peers.ts'
import { Pipelined } from './pipelined.ts'
import { Reply, type ReplyWatch } from './reply.ts'
import { plainPath, toOriginForm } from './target.ts'
import { answerUnread } from './unread.ts'
import { KEPT_MS, Unspoken } from './unspoken.ts'

const HEADERS_TIMEOUT_MS = 10_000
const BODY_TIMEOUT_MS = 30_000
const MAX_CONNECTIONS = 4096
const CHECK_MS = 2000
const MAX_HEADER_BYTES = 16 * 1024

/** Answers a request on the MCP path; what cannot be answered it has to tell the client itself. */
export type Serve = (request: IncomingMessage, reply: Reply, arrivedMs: number) => void

/** Answers a request elsewhere than on the MCP path; false where nothing is there. `isEndpoint` knows those paths. */
export type ServeOther = (
  request: IncomingMessage,
  reply: Reply,
  isEndpoint: (path: string) => boolean,
) => boolean

export interface ListenerOptions {
  readonly serve: Serve
  readonly serveOther?: ServeOther | undefined
  /** What helps where nothing is, as the end of a sentence. */
  readonly advice?: string
  /** The path that means the MCP endpoint here as well, once it is known: where a server that we stand in for has its own. */
  readonly path?: () => string | undefined
  /** Whether browsers may call us from an Origin. */
  readonly isAllowedOrigin: (origin: string) => boolean
  readonly now: () => number
  /** Looks after its connections. */
  readonly peers: Pick<Peers, 'add'>
  /** For what clients do not fetch. */
  readonly budget: Budget
  /** Hears what goes wrong. */
  readonly watch: ReplyWatch
  /** While draining each answer closes its connection, so that the next call finds another pod. */
  readonly isDraining: () => boolean
  readonly remarks: Remarks
  /** Of a head; absent: as many as a client may send. */
  readonly maxHeaderBytes?: number
  /** Tests have no time for the defaults. */
  readonly times?: Partial<Times> | undefined
}

export interface Times {
  /** For a head, from its first byte on. */
  readonly headMs: number
  /** For a connection on which nothing is asked. */
  readonly keptMs: number
  readonly checkMs: number
}

const TIMES: Times = { headMs: HEADERS_TIMEOUT_MS, keptMs: KEPT_MS, checkMs: CHECK_MS }

/** A client of HTTP+SSE looks for its event stream first. */
const isSse = (path: string): boolean => /\/sse\/?$/i.test(path)

const nothingThere = (path: string, advice: string): Fault =>
  fault(
    'path-not-found',
    isSse(path)
      ? `HTTP+SSE of 2024-11-05 is not served; the MCP endpoint is ${MCP_PATH}, over Streamable HTTP`
      : `nothing is here; the MCP endpoint is ${MCP_PATH}${advice}`,
  )

const elsewhere =
  ({ serveOther, advice = '' }: ListenerOptions, isEndpoint: (path: string) => boolean) =>
  (request: IncomingMessage, reply: Reply, path: string): void => {
    if (serveOther?.(request, reply, isEndpoint)) return
    answerUnread(request, reply, () => reply.fault(nothingThere(path, advice)))
  }

const handler = (options: ListenerOptions) => {
  const { serve, path, isAllowedOrigin, now, isDraining, budget, remarks, watch } = options
  const isEndpoint = (asked: string): boolean => {
    if (asked === MCP_PATH) return true
    const other = path?.()
    return other !== undefined && asked === plainPath(other)
  }
  const serveElsewhere = elsewhere(options, isEndpoint)
  return (request: IncomingMessage, response: ServerResponse): void => {
    const arrivedMs = now()
    const reply = new Reply(response, arrivedMs, budget, watch)
    toOriginForm(request, remarks)
    if (isDraining()) reply.header('connection', 'close')
    const { origin } = request.headers
    if (origin !== undefined && isAllowedOrigin(origin)) {
      for (const [name, value] of corsHeaders(origin)) reply.header(name, value)
      if (request.method === 'OPTIONS') {
        for (const [name, value] of PREFLIGHT) reply.header(name, value)
        answerUnread(request, reply, () => reply.empty(204))
        return
      }
    }
    const asked = plainPath(request.url ?? '')
    if (isEndpoint(asked)) serve(request, reply, arrivedMs)
    else serveElsewhere(request, reply, asked)
  }
}

/** A server of HTTP that is given a connection of its port when somebody speaks on it. */
class SpokenServer extends Server {
  private readonly unspoken: Unspoken

  constructor(options: ServerOptions, { keptMs }: Times) {
    super(options)
    this.unspoken = new Unspoken(this, keptMs)
    const given = this.listeners('connection')
    this.removeAllListeners('connection')
    this.on('connection', (socket: Socket) => {
      const give = (): void => {
        for (const one of given) Reflect.apply(one, this, [socket])
      }
      // What was a handshake before has been held by whoever has shaken hands.
      if (socket instanceof TLSSocket) give()
      else this.unspoken.hold(socket, give)
    })
  }

  override closeIdleConnections(): void {
    this.unspoken.close()
    super.closeIdleConnections()
  }

  override closeAllConnections(): void {
    this.unspoken.close()
    super.closeAllConnections()
  }
}

export const createListener = (options: ListenerOptions): Server => {
  const admitted = handler(options)
  const pipelined = new Pipelined()
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    if (pipelined.admit(request, response)) admitted(request, response)
  }
  const times = { ...TIMES, ...options.times }
  const server = new SpokenServer(
    {
      headersTimeout: times.headMs,
      requestTimeout: BODY_TIMEOUT_MS,
      keepAliveTimeout: times.keptMs,
      connectionsCheckingInterval: times.checkMs,
      maxHeaderSize: options.maxHeaderBytes ?? MAX_HEADER_BYTES,
    },
    times,
  )
  server.on('request', handle)
  // Node would say "go on" at once; the stage that reads the body says it.
  server.on('checkContinue', handle)
  server.maxConnections = MAX_CONNECTIONS
  server.on('connection', (socket: Socket) => options.peers.add(socket))
  // Beyond this number node drops headers unseen: whoever sends so many is refused (`pipeline/head.ts`).
  server.maxHeadersCount = MAX_HEADERS
  return server
}
