// The proxy at a port where nobody but one client can come: who says nothing is that client; who names itself has to be.

import { createServer as createOrigin } from 'node:http'
import { createServer } from 'node:net'
import { expect, test } from '@jest/globals'
import { AUTHORIZATION, listening, talk, type Harness } from '../../../support/egress.ts'
import {
  closing,
  echoing,
  EGRESS,
  NAMES,
  started,
  until,
  world,
} from '../../../support/egress-tunnel.ts'

const FIRST = { key: '1', overBudget: () => false }
const basic = (text: string): string =>
  `Proxy-Authorization: Basic ${Buffer.from(text).toString('base64')}`
const SECOND = basic('2:second')

/** A port of the first client's own. */
const ownPort = async ({ proxy }: Harness): Promise<number> => {
  const server = createServer({ allowHalfOpen: true }, (socket) => proxy.own(socket, FIRST))
  closing.push(() => server.close())
  return listening(server)
}

const head = (method: string, target: string, host: string, ...fields: readonly string[]): string =>
  [`${method} ${target} HTTP/1.1`, `Host: ${host}`, ...fields, 'Connection: close', '', ''].join(
    '\r\n',
  )
const connectTo = (place: string, ...fields: readonly string[]): string =>
  head('CONNECT', place, place, ...fields)

test.each([
  ['says nothing', []],
  ['names itself', [AUTHORIZATION]],
])('who %s goes through, by CONNECT and in absolute form', async (_name, fields) => {
  const origin = createOrigin((_request, response) => response.end('answer'))
  const originPort = await listening(origin)
  closing.push(() => origin.close())
  const harness = await started({
    egress: 'a.example:80',
    names: NAMES,
    hosts: { '93.184.216.34:80': originPort },
  })
  const port = await ownPort(harness)
  const asked = head('GET', 'http://a.example/', 'a.example', ...fields)
  expect(await talk(port, asked)).toMatch(/^HTTP\/1\.1 200 OK[^]*answer$/)
  const inside = 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n'
  expect(await talk(port, connectTo('a.example:80', ...fields), inside)).toMatch(
    /^HTTP\/1\.1 200 Connection established[^]*answer$/,
  )
  expect(harness.told.lines).toEqual(['http a.example:80 allowed', 'connect a.example:80 allowed'])
  expect(harness.told.attempts.map(({ client }) => client)).toEqual(['1', '1'])
  expect(harness.told.strangers).toEqual([])
})

test.each([
  ['somebody else', [SECOND], 'unknown-credential'],
  ['nobody', [basic('1:wrong')], 'unknown-credential'],
  ['two', [AUTHORIZATION, SECOND], 'no-credential'],
  ['by what nobody can read', ['Proxy-Authorization: Bearer first'], 'no-credential'],
  ['by nothing, and says so', ['Proxy-Authorization:'], 'no-credential'],
])('who names itself as %s does not', async (_name, fields, why) => {
  const harness = await started({ egress: EGRESS, names: NAMES })
  const port = await ownPort(harness)
  expect(await talk(port, connectTo('a.example:25', ...fields))).toMatch(/^HTTP\/1\.1 407 /)
  expect(await talk(port, head('GET', 'http://a.example/', 'a.example', ...fields))).toMatch(
    /^HTTP\/1\.1 407 /,
  )
  expect(harness.told.strangers).toEqual([why, why])
  expect([harness.told.lines, harness.dialled]).toEqual([[], []])
})

test('what is not declared is refused there, too', async () => {
  const harness = await started({ egress: EGRESS, names: NAMES })
  const port = await ownPort(harness)
  expect(await talk(port, connectTo('b.example:25'))).toMatch(/^HTTP\/1\.1 403 /)
  expect(harness.told.lines).toEqual(['connect b.example:25 denied undeclared'])
})

const text = (value: string): Buffer => Buffer.concat([Buffer.of(value.length), Buffer.from(value)])
const ASKED = Buffer.concat([Buffer.of(5, 1, 0, 3), text('a.example'), Buffer.of(0, 25)])
const named = (name: string, secret: string): Buffer =>
  Buffer.concat([Buffer.of(5, 1, 2, 1), text(name), text(secret), ASKED])

test.each([
  ['without a word', Buffer.concat([Buffer.of(5, 1, 0), ASKED]), '050005000001000000000000', 1],
  ['by name', named('1', 'first'), '0502010005000001000000000000', 1],
  ['as somebody else', named('2', 'second'), '05020101', 0],
])('over SOCKS: %s', async (_name, said, replied, attempts) => {
  const origin = await echoing()
  const harness = await started(world(origin.port))
  const port = await ownPort(harness)
  const talking = talk(port, said)
  await until(
    () => harness.told.attempts.length + harness.told.strangers.length > 0,
    'whatever came of it',
  )
  if (attempts > 0) {
    await until(() => origin.sockets.length > 0, 'the connection')
    for (const socket of origin.sockets) socket.end()
  }
  expect(Buffer.from(await talking, 'latin1').toString('hex')).toBe(replied)
  expect(harness.told.attempts.map(({ client }) => client)).toEqual(attempts === 0 ? [] : ['1'])
})

test('what is no protocol is on record as its client’s', async () => {
  const harness = await started({ egress: EGRESS, names: NAMES })
  expect(await talk(await ownPort(harness), Buffer.of(0, 1, 2))).toBe('')
  expect(harness.told.lines).toEqual(['http ?:0 denied malformed'])
  expect(harness.told.strangers).toEqual([])
})

test('its connections are bounded as any client’s, and end with it', async () => {
  const origin = await echoing()
  const harness = await started(world(origin.port), { limits: { connectionsPerClient: 1 } })
  const port = await ownPort(harness)
  const first = talk(port, connectTo('a.example:25'))
  await until(() => harness.told.attempts.length === 1, 'the first')
  expect(await talk(port, connectTo('a.example:25'))).toBe('')
  await until(() => origin.sockets.length === 1, 'the tunnel')
  harness.proxy.end('1')
  await first
  expect(harness.told.attempts.map(({ cut }) => cut)).toStrictEqual(['closing', undefined])
  expect(harness.told.lines).toEqual([
    'connect a.example:25 allowed',
    'http ?:0 denied connections',
  ])
})
