// A port of the server's besides MCP, carried from the pod's own addresses to loopback as plain TCP: nothing of it is
// read or judged. Bounded by its connections; what each of them holds is bounded by node's own marks.

import { connect, Server, type Socket } from 'node:net'
import { ADDRESS_MS, lookup } from './loopback.ts'

const MAX_CONNECTIONS = 256
/** Peers that have gone without a word are found out. */
const KEEP_ALIVE_MS = 60_000

/** One side's bytes to the other: its end is an end, and where it breaks the other breaks. */
const pipe = (from: Socket, to: Socket): void => {
  from.setKeepAlive(true, KEEP_ALIVE_MS)
  from.on('error', () => to.destroy())
  // What has been read of it still goes out.
  from.on('close', () => to.destroySoon())
  from.pipe(to)
}

export class CarriedPort extends Server {
  private readonly clients = new Set<Socket>()

  constructor(port: number) {
    super({ allowHalfOpen: true }, (client) => {
      this.clients.add(client)
      client.on('close', () => this.clients.delete(client))
      const server = connect({
        host: 'localhost',
        lookup,
        port,
        allowHalfOpen: true,
        autoSelectFamilyAttemptTimeout: ADDRESS_MS,
      })
      pipe(client, server)
      pipe(server, client)
    })
    this.maxConnections = MAX_CONNECTIONS
  }

  closeAllConnections(): void {
    for (const client of this.clients) client.destroy()
  }
}
