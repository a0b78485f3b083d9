// Ports for programs that have to be told one before they listen.

import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

// Below those that the kernel hands out by itself, so that no connection or server of another test has taken it before it is
// used; and each of jest's workers has a thousand of its own.
const [FIRST_PORT, PORTS_OF_ONE, WORKERS] = [20_000, 1000, 10]
const firstOfOurs =
  FIRST_PORT + (Number(process.env['JEST_WORKER_ID'] ?? 0) % WORKERS) * PORTS_OF_ONE
let next = randomInt(PORTS_OF_ONE)

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

/** A port on which nothing listens, and that no other test of this run is given. */
export const freePort = async (): Promise<number> => {
  for (let tries = 0; tries < PORTS_OF_ONE; tries++) {
    const port = firstOfOurs + (next++ % PORTS_OF_ONE)
    if (await isFree(port)) return port
  }
  throw new Error(`none of the ports from ${firstOfOurs} is free`)
}
