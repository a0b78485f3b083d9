// Opens and closes the two HTTP servers. Closing drains: no new connections, answers that are due
// go out, idle connections end at once, and what is left is cut at a deadline.

import type { RequestListener, Server as HttpServer } from 'node:http'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { letParserPause } from '../shared/paused-parser.ts'
import { endsOf } from '../shared/socket-ends.ts'

export interface Certificate {
  readonly certificatePem: string
  readonly privateKeyPem: string
  /** Who has signed it, where that is known. */
  readonly authorityPem?: string
}

// The API server keeps idle connections for 90 s: it must be the one that closes them. That is so from the beginning: where
// many reviews come at once it opens more than it needs, and keeps those that it has asked nothing on. How long a body may
// take is `body.ts`'s to say.
const IDLE_MS = 120_000

const LIMITS = {
  keepAliveTimeout: IDLE_MS,
  headersTimeout: IDLE_MS,
  requestTimeout: IDLE_MS,
  maxHeaderSize: 32_768,
}
const MAX_CONNECTIONS = 1024
/** Whoever connects and says nothing would keep a place for two minutes, which is Node's own patience. */
const HANDSHAKE_MS = 5000

type Server = HttpServer | HttpsServer

/**
 * Looks after connections on which nobody has asked anything yet: in their handshake, silent, in a first head. They take half of a
 * server's room at most; where more come, the one that has waited longest is ended, so that they keep no API server out.
 */
const boundUnasked = (server: Server): void => {
  /** The first of them has waited longest. */
  const unasked = new Map<string, Socket>()
  server.on('connection', (socket: Socket) => {
    const ends = endsOf(socket)
    const [longest] = unasked
    if (longest && unasked.size >= server.maxConnections / 2) {
      unasked.delete(longest[0])
      longest[1].destroy()
    }
    unasked.set(ends, socket)
    socket.once('close', () => {
      if (unasked.get(ends) === socket) unasked.delete(ends)
    })
  })
  server.on('request', ({ socket }) => unasked.delete(endsOf(socket)))
}

export const createTlsServer = (
  listener: RequestListener,
  certificate: Certificate,
): HttpsServer => {
  const { certificatePem: cert, privateKeyPem: key } = certificate
  const handshake = { cert, key, minVersion: 'TLSv1.2', handshakeTimeout: HANDSHAKE_MS } as const
  const server = createHttpsServer({ ...LIMITS, ...handshake }, listener)
  server.on('secureConnection', letParserPause)
  server.maxConnections = MAX_CONNECTIONS
  boundUnasked(server)
  return server
}

export const createPlainServer = (listener: RequestListener): HttpServer => {
  const server = createHttpServer(LIMITS, listener)
  server.maxConnections = MAX_CONNECTIONS
  boundUnasked(server)
  return server
}

const isAddress = (address: AddressInfo | string | null): address is AddressInfo =>
  typeof address === 'object' && address !== null

/** Listens; port 0 picks a free one. Returns the port. */
export const listen = async (
  server: Server,
  port: number,
  host: string | undefined,
): Promise<number> => {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host }, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const address = server.address()
  return isAddress(address) ? address.port : port
}

/** Drains and closes; resolves when the last connection has ended. */
export const drain = async (server: Server, deadlineMs: number): Promise<void> => {
  const deadline = setTimeout(() => server.closeAllConnections(), deadlineMs)
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
  })
  clearTimeout(deadline)
}
