// A server of a test's own, on a port of loopback that nobody else has.

import { once } from 'node:events'
import type { Server } from 'node:net'

export const portOf = (server: Server): number => {
  const address = server.address()
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

/** Has it listen; its port. */
export const listening = async (server: Server): Promise<number> => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return portOf(server)
}
