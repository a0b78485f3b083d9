// The proxy over SOCKS5, byte for byte.

import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { hello } from '../../../support/client-hello.ts'
import { talk } from '../../../support/egress.ts'
import { echoing, EGRESS, NAMES, started, until, world } from '../../../support/egress-tunnel.ts'

const text = (value: string): Buffer => Buffer.concat([Buffer.of(value.length), Buffer.from(value)])
const GREETING = Buffer.of(5, 2, 0, 2)
const CREDENTIAL = Buffer.concat([Buffer.of(1), text('1'), text('first')])
const port = (value: number): Buffer => Buffer.of(value >> 8, value & 255)
const ask = (host: Buffer, to: number, command = 1): Buffer =>
  Buffer.concat([Buffer.of(5, command, 0), host, port(to)])
const name = (value: string): Buffer => Buffer.concat([Buffer.of(3), text(value)])
const hex = (reply: string): string => Buffer.from(reply, 'latin1').toString('hex')

test.each([
  ['one message after the other', false],
  ['byte by byte', true],
])('goes through: %s', async (_name, isSlow) => {
  const origin = await echoing()
  const harness = await started(world(origin.port))
  const socket = connect({ port: harness.port, host: '127.0.0.1', noDelay: true })
  let back = ''
  socket.on('data', (piece: Buffer) => (back += piece.toString('latin1')))
  const said = Buffer.concat([
    GREETING,
    CREDENTIAL,
    ask(name('a.example'), 25),
    Buffer.from('hello'),
  ])
  for (const piece of isSlow ? Array.from(said, (byte) => Buffer.of(byte)) : [said]) {
    socket.write(piece)
    if (isSlow) await sleep(1)
  }
  await until(() => back.endsWith('hello'), 'the echo')
  expect(hex(back)).toBe(`0502010005000001000000000000${Buffer.from('hello').toString('hex')}`)
  expect(harness.told.lines).toEqual(['socks a.example:25 allowed'])
  socket.destroy()
})

test.each([
  ['no way to say who it is', [Buffer.of(5, 1, 0)], '05ff', 'no-credential'],
  [
    'another secret',
    [GREETING, Buffer.concat([Buffer.of(1), text('1'), text('other')])],
    '05020101',
    'unknown-credential',
  ],
  [
    'nobody',
    [GREETING, Buffer.concat([Buffer.of(1), text(''), text('')])],
    '05020101',
    'unknown-credential',
  ],
  [
    'another version of the credential',
    [GREETING, Buffer.of(5, 1, 49, 1, 49)],
    '0502',
    'no-protocol',
  ],
  ['SOCKS4', [Buffer.of(4, 1, 0, 80, 1, 1, 1, 1, 0)], '', 'no-protocol'],
  ['TLS to the proxy', [hello('a.example')], '', 'no-protocol'],
])('who is not known: %s', async (_name, pieces, reply, why) => {
  const harness = await started({ egress: EGRESS, names: NAMES })
  expect(hex(await talk(harness.port, ...pieces))).toBe(reply)
  expect(harness.told.strangers).toEqual([why])
  expect(harness.told.attempts).toEqual([])
})

test.each([
  ['another version', Buffer.of(4, 1, 0, 1)],
  ['a byte that is kept for later', Buffer.of(5, 1, 7, 1)],
  ['an address of no kind', Buffer.of(5, 1, 0, 9)],
])('who is known and speaks no SOCKS goes, on record: %s', async (_name, request) => {
  const harness = await started({ egress: EGRESS, names: NAMES })
  expect(hex(await talk(harness.port, GREETING, CREDENTIAL, request))).toBe('05020100')
  expect(harness.told.lines).toEqual(['socks ?:0 denied malformed'])
  expect(harness.told.strangers).toEqual([])
})

test.each([
  [
    'a name that is not declared',
    ask(name('no.example'), 443),
    '05020001',
    'socks no.example:443 denied undeclared',
  ],
  [
    'an address that is not declared',
    ask(Buffer.of(1, 8, 8, 8, 8), 443),
    '05020001',
    'socks 8.8.8.8:443 denied undeclared',
  ],
  [
    'an address as a name',
    ask(name('169.254.169.254'), 80),
    '05020001',
    'socks 169.254.169.254:80 denied forbidden-address',
  ],
  [
    'a mapped address',
    ask(Buffer.concat([Buffer.of(4), Buffer.from('00000000000000000000ffffa9fea9fe', 'hex')]), 80),
    '05020001',
    'socks 169.254.169.254:80 denied forbidden-address',
  ],
  ['an address of old', ask(name('0x7f.1'), 80), '05020001', 'socks 0x7f.1:80:0 denied malformed'],
  [
    'a name with a zero byte',
    ask(name('a.example\0.b.example'), 443),
    '05020001',
    'socks a.example?.b.example:443:0 denied malformed',
  ],
  ['an empty name', ask(name(''), 443), '05020001', 'socks :443:0 denied malformed'],
  [
    'bytes that are no text',
    ask(Buffer.concat([Buffer.of(3, 1), Buffer.of(255)]), 443),
    '05020001',
    'socks :443:0 denied malformed',
  ],
  [
    'a URL as a name',
    ask(name('https://a.example/?token=secret'), 443),
    '05020001',
    'socks a.example:0 denied malformed',
  ],
  [
    'a URL with a user as a name',
    ask(name('https://user:secret@a.example'), 443),
    '05020001',
    'socks ?:0 denied malformed',
  ],
  [
    'BIND at an address',
    ask(
      Buffer.concat([Buffer.of(4), Buffer.from('26064700000000000000000000000001', 'hex')]),
      9,
      2,
    ),
    '05070001',
    'socks [2606:4700:0000:0000:0000:0000:0000:0001]:9:0 denied malformed',
  ],
  ['BIND', ask(name('a.example'), 443, 2), '05070001', 'socks a.example:443:0 denied malformed'],
  ['UDP', ask(name('a.example'), 443, 3), '05070001', 'socks a.example:443:0 denied malformed'],
  [
    'a name that leads nowhere',
    ask(name('a.example'), 8443),
    '05040001',
    'socks a.example:8443 failed unresolved',
  ],
])('refused: %s', async (_name, request, reply, line) => {
  const harness = await started({ egress: EGRESS, names: {} })
  const back = hex(await talk(harness.port, GREETING, CREDENTIAL, request))
  expect(back).toBe(`05020100${reply}000000000000`)
  expect(harness.told.lines).toEqual([line])
  expect(harness.dialled).toEqual([])
})
