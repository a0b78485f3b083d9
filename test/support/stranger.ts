// Somebody on loopback, by TCP and by a unix socket, whom a confined process may not reach; answers nobody, and counts.

import { chmodSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'

export class Stranger {
  port = 0
  reached = 0
  /** The port of who was the last to come by TCP. */
  from = 0
  readonly path: string
  private readonly servers: readonly Server[]

  constructor(folder: string) {
    this.path = join(folder, 'strangers')
    const count = (from = 0): void => {
      this.reached++
      this.from = from
    }
    this.servers = [1, 2].map(() =>
      createServer((socket) => {
        count(socket.remotePort)
        socket.on('error', () => socket.destroy())
        socket.resume()
      }),
    )
  }

  async listen(): Promise<void> {
    const [tcp, local] = this.servers
    await new Promise<void>((resolve) => local?.listen(this.path, resolve))
    chmodSync(this.path, 0o777)
    await new Promise<void>((resolve) => tcp?.listen(0, '127.0.0.1', resolve))
    const address = tcp?.address()
    if (address === null || typeof address !== 'object') throw new Error('no port')
    this.port = address.port
  }

  close(): void {
    for (const server of this.servers) server.close()
  }
}
