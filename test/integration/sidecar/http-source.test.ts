// Looking for the endpoint of a server that answers, and not as anybody would: the search ends and says what it met.

import { afterEach, expect, test } from '@jest/globals'
import { createServer, type Server, type Socket } from 'node:net'
import { HttpSource } from '../../../sidecar/server/http-source.ts'
import { Loopback } from '../../../sidecar/server/loopback.ts'
import { aBudget } from '../../support/budgets.ts'
import { listening } from '../../support/listening.ts'

const DRIP_MS = 500

let server: Server | undefined
let loopback: Loopback | undefined

afterEach(() => {
  loopback?.close()
  server?.close()
})

test.each<[string, (socket: Socket) => void, string]>([
  [
    'with another protocol',
    (socket) =>
      void socket.write('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
    'HTTP 101, which nobody had asked for',
  ],
  [
    'with a head that never ends',
    (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nx: ')
      const drip = setInterval(() => socket.write('x'), DRIP_MS)
      socket.on('close', () => clearInterval(drip))
    },
    'no answer at /mcp for 5000 ms',
  ],
])('%s', async (_name, answer, said) => {
  server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => answer(socket))
  })
  loopback = new Loopback({ port: await listening(server) })
  const source = new HttpSource({
    loopback,
    path: undefined,
    transports: ['http', 'sse'],
    forwards: false,
    budget: aBudget(),
    onEndpoint: () => undefined,
    advice: () => '',
  })
  expect(await source.open()).toMatchObject({
    ok: false,
    error: { code: 'server-failed', message: expect.stringContaining(said) },
  })
})
