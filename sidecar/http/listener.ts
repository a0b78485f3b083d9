// The HTTP listener that clients reach: one path, the pipeline behind it, every time and size bounded.
// It decides nothing about a message; a fault of ours becomes an answer here and nowhere else.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Log } from '../../shared/log.ts'
import { MCP_PATH } from '../../shared/names.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import { run, type Stage } from '../pipeline/pipeline.ts'
import { corsHeaders, PREFLIGHT } from './cors.ts'
import type { Exchange } from './exchange.ts'
import { isAllowedOrigin, type OriginRules } from '../pipeline/origin.ts'
import { Reply } from './reply.ts'

const HEADERS_TIMEOUT_MS = 10_000
const BODY_TIMEOUT_MS = 30_000
/** Longer than the idle time of the proxies and gateways in front of us, so that they close first. */
const KEEP_ALIVE_MS = 120_000
const MAX_CONNECTIONS = 4096
const CHECK_MS = 2000
const MAX_HEADER_BYTES = 32 * 1024

export interface FrontOptions {
  readonly stages: readonly Stage[]
  readonly rules: OriginRules
  readonly log: Log
  readonly now: () => number
  readonly onFault: (fault: Fault) => void
  /** While draining each answer closes its connection, so that the next call finds another pod. */
  readonly isDraining: () => boolean
}

const handler = ({ stages, rules, log, now, onFault, isDraining }: FrontOptions) => {
  const serve = async (exchange: Exchange): Promise<void> => {
    let verdict: Fault | undefined
    try {
      verdict = await run(stages, exchange)
    } catch (error) {
      log.error('a request failed inside the sidecar', {
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      })
      verdict = fault('internal', 'the sidecar failed; its log says why')
    }
    if (!verdict) return
    onFault(verdict)
    exchange.reply.fault(verdict, exchange.idText)
  }
  return (request: IncomingMessage, response: ServerResponse): void => {
    const arrivedMs = now()
    const reply = new Reply(response, arrivedMs)
    if (isDraining()) reply.header('connection', 'close')
    const { origin } = request.headers
    if (origin !== undefined && isAllowedOrigin(rules, origin)) {
      for (const [name, value] of corsHeaders(origin)) reply.header(name, value)
      if (request.method === 'OPTIONS') {
        for (const [name, value] of PREFLIGHT) reply.header(name, value)
        reply.empty(204)
        return
      }
    }
    const path = request.url?.split('?', 1)[0]
    if (path !== MCP_PATH) {
      reply.fault(fault('path-not-found', `nothing is here; the MCP endpoint is ${MCP_PATH}`))
      return
    }
    void serve({
      request,
      reply,
      arrivedMs,
      body: undefined,
      idText: undefined,
      ask: undefined,
      principal: undefined,
      permit: undefined,
    })
  }
}

export const createFront = (options: FrontOptions): Server => {
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: BODY_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: CHECK_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    handler(options),
  )
  server.maxConnections = MAX_CONNECTIONS
  // Their bytes are bounded; beyond a number node would drop headers unseen.
  server.maxHeadersCount = 0
  return server
}

const LOOPBACK_NAMES = new Set(['127.0.0.1', 'localhost', '::1'])

const listenOn = (server: Server, port: number, host: string): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host, ipv6Only: false }, () => {
      server.off('error', reject)
      const address: AddressInfo | string | null = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })

const isMissingFamily = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  ['EAFNOSUPPORT', 'EADDRNOTAVAIL'].includes(String(error.code))

/**
 * Listens so that no other process can take the same port in the other address family: `::` is one
 * dual-stack socket; on loopback both families are taken. The servers share their handler. Returns the port.
 */
export const listen = async (
  server: Server,
  second: Server,
  port: number,
  host: string,
): Promise<number> => {
  const isLoopback = LOOPBACK_NAMES.has(host)
  try {
    const bound = await listenOn(server, port, isLoopback ? '127.0.0.1' : host)
    if (isLoopback) {
      await listenOn(second, bound, '::1').catch((error: unknown) => {
        if (!isMissingFamily(error)) throw error
      })
    }
    return bound
  } catch (error) {
    // A kernel without IPv6 has no `::`.
    if (host === '::' && isMissingFamily(error)) return listenOn(server, port, '0.0.0.0')
    throw error
  }
}
