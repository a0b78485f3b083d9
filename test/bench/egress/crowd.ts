// The observer beside 1,000 sockets, in a process of its own: `crowd.ts SECONDS`. Says how many microseconds of CPU a second of it
// takes, and how often it looks in that time.

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { Observer } from '../../../sidecar/egress/observer/observer.ts'
import { kernelTables } from '../../../sidecar/egress/observer/tables.ts'

/** Each has two ends here. */
const CONNECTIONS = 500
/** As often as the sidecar asks it to. */
const EVERY_MS = 250
const WARM_UP_SECONDS = 3

const taken: Socket[] = []
const server = createServer((socket) => void taken.push(socket)).listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address()
const port = typeof address === 'object' && address ? address.port : 0
for (let number = 0; number < CONNECTIONS; number++) {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  taken.push(socket)
}

let looks = 0
const [first, ...others] = kernelTables()
if (!first) throw new Error('there is a table of TCP')
const counted = {
  ...first,
  read: (): Buffer => {
    looks++
    return first.read()
  },
}
const observer = new Observer({
  tables: [counted, ...others],
  ownUid: undefined,
  ownAddresses: [],
  now: () => performance.now(),
  onDirect: () => undefined,
  onListener: () => undefined,
})

const watch = async (seconds: number): Promise<void> => {
  for (let past = 0; past < seconds * 1000; past += EVERY_MS) {
    observer.sweep(true)
    await pause(EVERY_MS)
  }
}

const seconds = Number(process.argv[2])
await watch(WARM_UP_SECONDS)
looks = 0
const [startMs, before] = [performance.now(), process.cpuUsage()]
await watch(seconds)
const { user, system } = process.cpuUsage(before)
const tookSeconds = (performance.now() - startMs) / 1000
process.stdout.write(`${(user + system) / tookSeconds} ${looks / tookSeconds}\n`)
process.exit(0)
