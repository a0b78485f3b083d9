// Tunnels of an egress proxy, and what stands at their ends; all of it is closed after each test.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect } from '@jest/globals'
import { AUTHORIZATION, echo, startEgress, type Harness, type Tuned, type World } from './egress.ts'

export const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

export const started = async (world: World, tuned?: Tuned): Promise<Harness> => {
  const harness = await startEgress(world, tuned)
  closing.push(harness.close)
  return harness
}

export const echoing = async (): ReturnType<typeof echo> => {
  const one = await echo()
  closing.push(one.close)
  return one
}

export const NAMES = { 'a.example': ['93.184.216.34'], 'b.example': ['93.184.216.35'] }
export const EGRESS = 'a.example:443,a.example:8443,a.example:25,93.184.216.35:443'

export const world = (port: number): World => ({
  egress: EGRESS,
  names: NAMES,
  hosts: {
    '93.184.216.34:443': port,
    '93.184.216.34:8443': port,
    '93.184.216.34:25': port,
    '93.184.216.35:443': port,
  },
})

export const connectHead = (place: string): string =>
  `CONNECT ${place} HTTP/1.1\r\nHost: ${place}\r\n${AUTHORIZATION}\r\n\r\n`

/** By whatever end, a reset too. */
export const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.once('close', () => resolve())
  })

export interface Opened {
  readonly socket: Socket
  /** What has come since. */
  readonly back: () => string
}

/** A tunnel by CONNECT. */
export const opened = async (harness: Harness, place: string): Promise<Opened> => {
  const socket = connect({ port: harness.port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => undefined)
  socket.write(connectHead(place))
  const [head]: unknown[] = await once(socket, 'data')
  const [first, rest = ''] = String(head).split(/(?<=\r\n\r\n)(.*)/s)
  expect(first).toBe('HTTP/1.1 200 Connection established\r\n\r\n')
  let text = rest
  socket.on('data', (piece: Buffer) => (text += piece.toString('latin1')))
  return { socket, back: () => text }
}

export const until = async (is: () => boolean, what: string): Promise<void> => {
  for (let round = 0; round < 500; round++) {
    if (is()) return
    await sleep(10)
  }
  throw new Error(`${what} has not come`)
}
