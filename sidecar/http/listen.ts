// Taking a port, for MCP's listener and for the admin one: so that nobody else can take it in the other address family.
// And giving it back.

import type { AddressInfo, Server } from 'node:net'
import { codeOf } from '../../shared/error-code.ts'
import type { Log } from '../../shared/log.ts'
import { messageOf } from '../../shared/message.ts'

/** What listens: for HTTP, or for whatever passes unread. */
export type Listener = Server & { closeAllConnections(): void }

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
  ['EAFNOSUPPORT', 'EADDRNOTAVAIL'].includes(codeOf(error))

/**
 * Listens so that no other process can take the same port in the other address family: `::` is one
 * dual-stack socket; on loopback both families are taken. The servers share their handler. Returns the port.
 */
export const listen = async (
  [server, second]: readonly [Server, Server],
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

/** Stops listening; connections that still carry an answer to their client have so long to do it. */
export const closed = async (server: Listener, patienceMs: number): Promise<void> => {
  const isClosed = new Promise<void>((resolve) => server.close(() => resolve()))
  const timer = setTimeout(() => server.closeAllConnections(), patienceMs)
  await isClosed
  clearTimeout(timer)
}

/** The same of all that listen. */
export const closeAll = (servers: readonly Listener[], patienceMs: number): Promise<unknown> =>
  Promise.all(servers.filter(({ listening }) => listening).map((one) => closed(one, patienceMs)))

export const logFailures = (servers: readonly Server[], log: Log): void => {
  for (const one of servers) {
    one.on('error', (error) => log.error('a listener failed', { error: messageOf(error) }))
  }
}
