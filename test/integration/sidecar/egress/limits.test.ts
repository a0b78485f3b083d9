// How much and how long the proxy takes, and who goes where it is too much.

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { AUTHORIZATION, listening, talk } from '../../../support/egress.ts'
import {
  closed,
  closing,
  connectHead,
  echoing,
  opened,
  started,
  until,
  world,
} from '../../../support/egress-tunnel.ts'

test('bytes of a session: what goes beyond is cut, what comes then is refused', async () => {
  const origin = await echoing()
  const harness = await started(world(origin.port))
  harness.told.budgets.set('1', 1000)
  const { socket } = await opened(harness, 'a.example:25')
  const end = closed(socket)
  socket.write(Buffer.alloc(900, 'a'))
  await end
  expect(harness.told.attempts[0]?.cut).toBe('bytes')
  expect(await talk(harness.port, connectHead('a.example:25'))).toMatch(
    /^HTTP\/1\.1 403 Forbidden\r\nX-Outrigger-Egress: bytes\r\n/,
  )
})

test('idle and total times, and half-open ones', async () => {
  const origin = await echoing()
  const clock = { ms: 0 }
  const harness = await started(world(origin.port), {
    now: () => clock.ms,
    limits: { idleMs: 1000, halfIdleMs: 100, totalMs: 1500 },
  })
  const idle = await opened(harness, 'a.example:25')
  clock.ms = 999
  harness.proxy.sweep()
  expect(idle.socket.destroyed).toBe(false)
  idle.socket.write('x')
  await until(() => idle.back() === 'x', 'the echo')
  clock.ms = 1500
  const end = closed(idle.socket)
  harness.proxy.sweep()
  await end
  expect(harness.told.attempts.map(({ cut }) => cut)).toEqual(['total'])
})

const plainHead = (url: string): string =>
  `GET ${url} HTTP/1.1\r\nHost: a.example:25\r\n${AUTHORIZATION}\r\n\r\n`

test('connections of one client, and in all', async () => {
  const origin = await echoing()
  const harness = await started(world(origin.port), {
    limits: { connectionsPerClient: 2, connections: 3 },
  })
  const first = await opened(harness, 'a.example:25')
  await opened(harness, 'a.example:25')
  expect(await talk(harness.port, connectHead('a.example:25'))).toMatch(
    /^HTTP\/1\.1 503 .*\r\nX-Outrigger-Egress: connections\r\n/,
  )
  const other = connectHead('a.example:25').replace(
    AUTHORIZATION,
    `Proxy-Authorization: Basic ${Buffer.from('2:second').toString('base64')}`,
  )
  await until(() => harness.proxy.connections === 2, 'the end of the third')
  expect(await talk(harness.port, plainHead('http://a.example:25/p?k=v'))).toMatch(
    /^HTTP\/1\.1 503 /,
  )
  expect(await talk(harness.port, plainHead('http://k:v@a.example:25/p?k=v'))).toMatch(
    /^HTTP\/1\.1 503 /,
  )
  const socks = ['050102', '0101310566697273740501000101010101'].map((hex) =>
    Buffer.from(hex, 'hex'),
  )
  expect(await talk(harness.port, ...socks)).toBe('\x05\x02\x01\x01')
  await until(() => harness.proxy.connections === 2, 'the end of the others')
  expect(harness.told.lines.filter((line) => line.includes('denied'))).toEqual([
    'connect a.example:25 denied connections',
    'http a.example:25 denied connections',
    'http ?:0 denied connections',
    'socks ?:0 denied connections',
  ])
  const second = connect({ port: harness.port, host: '127.0.0.1' })
  second.write(other)
  const [head]: unknown[] = await once(second, 'data')
  expect(String(head)).toMatch(/^HTTP\/1\.1 200/)
  expect(await talk(harness.port, other)).toBe('')
  first.socket.destroy()
  await until(() => harness.proxy.connections === 2, 'the end of one')
  await opened(harness, 'a.example:25')
  second.destroy()
})

test('requests at once on a connection that is one too many', async () => {
  const origin = await echoing()
  const harness = await started(world(origin.port), { limits: { connectionsPerClient: 1 } })
  await opened(harness, 'a.example:25')
  await talk(harness.port, plainHead('http://a.example:25/').repeat(20))
  expect(harness.told.lines.filter((line) => line.includes('denied'))).toEqual(
    Array.from({ length: 8 }, () => 'http a.example:25 denied connections'),
  )
})

test('whoever comes late finds room, however much those before take', async () => {
  const origin = await echoing()
  const whoIs = ({ name }: { readonly name: string }) => ({ key: name, overBudget: () => false })
  const limits = { connectionsPerClient: 8, connections: 16 }
  const harness = await started(world(origin.port), { limits, whoIs })
  const held: Socket[] = []
  /** Whether it gets another; one that it gets it keeps. */
  const takes = async (name: string): Promise<boolean> => {
    const credential = `Proxy-Authorization: Basic ${Buffer.from(`${name}:x`).toString('base64')}`
    const socket = connect({ port: harness.port, host: '127.0.0.1' })
    const before = harness.proxy.connections
    let back = ''
    socket.on('error', () => undefined)
    socket.on('data', (piece: Buffer) => (back += piece.toString('latin1')))
    socket.write(connectHead('a.example:25').replace(AUTHORIZATION, credential))
    await until(() => back !== '' || socket.closed, 'an answer')
    const isTaken = back.startsWith('HTTP/1.1 200')
    if (isTaken) held.push(socket)
    else await until(() => harness.proxy.connections <= before, 'its end')
    return isTaken
  }
  const taken: Record<string, number> = {}
  for (const name of ['a', 'b', 'c', 'd']) {
    taken[name] = 0
    while (await takes(name)) taken[name]++
  }
  expect(taken).toEqual({ a: 8, b: 5, c: 2, d: 1 })
  for (const socket of held) socket.destroy()
})

test('of those whom nobody knows the one that is silent longest goes', async () => {
  const origin = await echoing()
  const harness = await started(world(origin.port), { limits: { strangers: 4 } })
  const silent = Array.from({ length: 40 }, () => {
    const socket = connect({ port: harness.port, host: '127.0.0.1' })
    socket.on('error', () => undefined)
    return socket
  })
  await until(() => silent.filter(({ destroyed }) => destroyed).length === 36, 'the crowd’s end')
  expect(harness.told.strangers).toEqual(Array.from({ length: 36 }, () => 'crowd'))
  // Who says at once who it is gets in.
  const { socket } = await opened(harness, 'a.example:25')
  socket.destroy()
  for (const one of silent) one.destroy()
})

test('a head that does not come, or comes a byte at a time', async () => {
  const clock = { ms: 0 }
  const harness = await started({}, { now: () => clock.ms })
  const slow = connect({ port: harness.port, host: '127.0.0.1' })
  slow.on('error', () => undefined)
  slow.write('GET http://a.example/ HT')
  await until(() => harness.proxy.connections === 1, 'it')
  clock.ms = 9000
  slow.write('TP')
  await sleep(20)
  harness.proxy.sweep()
  expect(harness.proxy.connections).toBe(1)
  clock.ms = 10_000
  harness.proxy.sweep()
  await until(() => harness.proxy.connections === 0, 'its end')
  expect(harness.told.strangers).toEqual(['late'])
})

test('bytes that nobody takes: the whole is bounded, and who has got on last stays', async () => {
  const flood = createServer((socket) => {
    socket.on('error', () => undefined)
    const more = (): void => {
      while (socket.write(Buffer.alloc(65_536)));
    }
    socket.on('drain', more)
    more()
  })
  closing.push(() => flood.close())
  const harness = await started(world(await listening(flood)), {
    limits: { heldBytes: 600_000 },
  })
  const stuck: Socket[] = []
  for (let count = 0; count < 12; count++) {
    const { socket } = await opened(harness, 'a.example:25')
    socket.pause()
    stuck.push(socket)
  }
  await until(() => harness.told.attempts.some(({ cut }) => cut === 'memory'), 'the bound')
  expect(harness.told.attempts[0]?.cut).toBe('memory')
  for (const socket of stuck) socket.destroy()
})

test('all of a client’s end with it', async () => {
  const origin = await echoing()
  const harness = await started(world(origin.port))
  const { socket } = await opened(harness, 'a.example:25')
  const end = closed(socket)
  harness.proxy.end('2')
  expect(socket.destroyed).toBe(false)
  harness.proxy.end('1')
  await end
  expect(harness.told.attempts[0]?.cut).toBe('closing')
})

test('what cannot be put on record reaches nothing', async () => {
  const origin = await echoing()
  const harness = await started(world(origin.port))
  harness.told.canRecord = false
  expect(await talk(harness.port, connectHead('a.example:25'))).toMatch(
    /^HTTP\/1\.1 503 .*\r\nX-Outrigger-Egress: records\r\n/,
  )
  expect(harness.dialled).toEqual([])
})

test('who was refused and stays has a moment, and goes', async () => {
  const clock = { ms: 0 }
  const harness = await started({}, { now: () => clock.ms })
  const socket = connect({ port: harness.port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => undefined)
  socket.write(connectHead('no.example:25'))
  const [head]: unknown[] = await once(socket, 'data')
  expect(String(head)).toMatch(/^HTTP\/1\.1 403/)
  clock.ms = 1999
  harness.proxy.sweep()
  expect(harness.proxy.connections).toBe(1)
  clock.ms = 2000
  harness.proxy.sweep()
  await until(() => harness.proxy.connections === 0, 'its end')
  socket.destroy()
})
