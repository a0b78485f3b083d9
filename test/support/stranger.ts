// Somebody on loopback, by TCP and by a unix socket, whom a confined process may not reach; answers nobody, and counts. Has a
// folder of its own, in which the programs lie that try to reach it.

import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compileFixture } from './shim.ts'

export class Stranger {
  port = 0
  reached = 0
  /** The port of who was the last to come by TCP. */
  from = 0
  readonly folder = mkdtempSync(join(tmpdir(), 'stranger-'))
  readonly path = join(this.folder, 'strangers')
  private readonly servers: readonly Server[]

  /** `mode`: what others may do in its folder; absent: look. */
  constructor(mode = 0o755) {
    chmodSync(this.folder, mode)
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

  /** Compiles a program of test/fixtures; its path. */
  program(name: string): string {
    return compileFixture(name, this.folder)
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
    rmSync(this.folder, { recursive: true })
  }
}
