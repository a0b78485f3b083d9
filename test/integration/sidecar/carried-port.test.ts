// A port that is carried to loopback as plain TCP: every byte both ways, every end, and no more connections than may be.

import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { CarriedPort } from '../../../sidecar/server/carried-port.ts'
import { readAll, until } from '../../support/waiting.ts'
import { listening, portOf } from '../../support/listening.ts'

const MEGABYTE = Buffer.alloc(1024 * 1024, 'x')

let server: Server
let carried: CarriedPort
let serve: (socket: Socket) => void
let accepted: Set<Socket>

beforeEach(async () => {
  const sockets = new Set<Socket>()
  accepted = sockets
  serve = (socket) => void socket.pipe(socket)
  server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    serve(socket)
  })
  carried = new CarriedPort(await listening(server))
  await listening(carried)
})

afterEach(() => {
  carried.closeAllConnections()
  carried.close()
  for (const socket of accepted) socket.destroy()
  server.close()
})

const dial = (): Socket => {
  const socket = connect({ port: portOf(carried), host: '127.0.0.1' })
  socket.on('error', () => undefined)
  return socket
}

test('all bytes come back, also behind the end of those that went', async () => {
  const client = dial()
  for (let count = 0; count < 8; count++) client.write(MEGABYTE)
  client.end()
  const text = await readAll(client)
  expect(text.length).toBe(8 * MEGABYTE.length)
})

test('a server that says all and ends is read to its end', async () => {
  serve = (socket) => void socket.end(MEGABYTE)
  const client = dial()
  const text = await readAll(client)
  expect(text.length).toBe(MEGABYTE.length)
})

test('a server that is not there is a connection that ends', async () => {
  server.close()
  await once(server, 'close')
  const client = dial()
  expect(await readAll(client)).toBe('')
})

test('who hangs up hangs up there', async () => {
  const client = dial()
  await until(() => accepted.size === 1, 'the server has it')
  client.resetAndDestroy()
  await until(() => accepted.size === 0, 'the server has lost it')
})

test('a server that breaks off breaks off here', async () => {
  serve = (socket) => void socket.resetAndDestroy()
  const client = dial()
  expect(await readAll(client)).toBe('')
})

test('more than 256 at once are turned away', async () => {
  const clients = [...Array(257).keys()].map(dial)
  await until(() => clients.some(({ closed }) => closed), 'one is turned away')
  await until(() => accepted.size === 256, 'the others are served')
  expect(clients.filter(({ closed }) => closed)).toHaveLength(1)
  for (const client of clients) client.destroy()
})

test('its end is that of its connections', async () => {
  const client = dial()
  await until(() => accepted.size === 1, 'the server has it')
  carried.closeAllConnections()
  await readAll(client)
  await until(() => accepted.size === 0, 'the server has lost it')
})
