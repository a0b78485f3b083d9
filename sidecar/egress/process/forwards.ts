// The TCP forwards of one child: for each a listener on a port of loopback that the shim lets this child alone connect to, by
// the port that was declared. They are open for as long as the child is there.

import { createServer, type Server, type Socket } from 'node:net'
import type { Destination } from '../../../shared/destination.ts'

const LOOPBACK = '127.0.0.1'

export interface Forward {
  /** By which the child knows it, and where that ends. */
  readonly local: number
  readonly port: number
}

export type TakeForward = (socket: Socket, destination: Destination) => void

const listening = (server: Server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port: 0, host: LOOPBACK }, () => {
      server.off('error', reject)
      // What fails from now on is a connection's; without a listener it would be the process's.
      server.on('error', () => undefined)
      const address = server.address()
      if (typeof address === 'object' && address) resolve(address.port)
      else reject(new Error('it listens nowhere'))
    })
  })

export class Forwards {
  /** Of those that are declared with a port of their own. */
  readonly ports: readonly Forward[]
  private readonly servers: readonly Server[]

  private constructor(ports: readonly Forward[], servers: readonly Server[]) {
    this.ports = ports
    this.servers = servers
  }

  /** Rejects where one cannot listen; then none does. */
  static async open(destinations: readonly Destination[], take: TakeForward): Promise<Forwards> {
    const servers: Server[] = []
    const ports: Forward[] = []
    try {
      for (const destination of destinations) {
        const { local } = destination
        if (local === undefined) continue
        const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
          take(socket, destination),
        )
        servers.push(server)
        ports.push({ local, port: await listening(server) })
      }
    } catch (error) {
      for (const server of servers) server.close()
      throw error
    }
    return new Forwards(ports, servers)
  }

  close(): void {
    for (const server of this.servers) server.close()
  }
}
