// The ports of one child: for each a listener on a port of loopback that the shim lets this child alone connect to, by the port
// that it knows. They are open for as long as the child is there.

import { createServer, type Server, type Socket } from 'node:net'
import { LedVisitors } from './led.ts'

const LOOPBACK = '127.0.0.1'

export interface Forward {
  /** By which the child knows it, and where that ends. */
  readonly local: number
  readonly port: number
}

export interface Wanted {
  readonly local: number
  readonly take: (socket: Socket) => void
}

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

interface Inlet extends Forward {
  readonly server: Server
  readonly visitors: LedVisitors
}

export class Forwards {
  readonly ports: readonly Forward[]
  private readonly inlets: readonly Inlet[]

  private constructor(inlets: readonly Inlet[]) {
    this.inlets = inlets
    this.ports = inlets.map(({ local, port }) => ({ local, port }))
  }

  /** Rejects where one cannot listen; then none does. */
  static async open(wanted: readonly Wanted[]): Promise<Forwards> {
    const servers: Server[] = []
    const inlets: Inlet[] = []
    try {
      for (const { local, take } of wanted) {
        const visitors = new LedVisitors(take)
        const server = createServer({ allowHalfOpen: true, noDelay: true }, visitors.came)
        servers.push(server)
        inlets.push({ local, port: await listening(server), server, visitors })
      }
    } catch (error) {
      for (const server of servers) server.close()
      throw error
    }
    return new Forwards(inlets)
  }

  /** The child comes to one of them, from this port. */
  led(from: number, port: number): void {
    this.inlets.find((one) => one.port === port)?.visitors.led(from)
  }

  close(): void {
    for (const { server, visitors } of this.inlets) {
      server.close()
      visitors.close()
    }
  }
}
