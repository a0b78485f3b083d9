// What of a CONNECT is read at once, and that Node's parser would have read the same; everything else is left to that one.

import { createServer, type IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'
import { describe, expect, test } from '@jest/globals'
import {
  connectHeadIn,
  HEAD_END,
  readConnectHead,
} from '../../../../../sidecar/egress/proxy/connect-head.ts'

const lines = (...text: readonly string[]): string => `${text.join('\r\n')}\r\n\r\n`
const USUAL = ['CONNECT a.example:443 HTTP/1.1', 'Host: a.example:443'] as const
const AUTHORIZATION = 'Proxy-Authorization: Basic MTpmaXJzdA=='

interface Parsed {
  readonly url: string | undefined
  readonly rawHeaders: readonly string[]
  readonly early: string
}

/** What Node's parser makes of bytes; undefined where it takes them for no CONNECT. */
const byNode = (bytes: Buffer): Parsed | undefined => {
  const server = createServer({ requireHostHeader: true, maxHeaderSize: 16 * 1024 })
  let parsed: Parsed | undefined
  server.on('connect', ({ url, rawHeaders }: IncomingMessage, _socket, head: Buffer) => {
    parsed = { url, rawHeaders, early: head.toString('latin1') }
  })
  server.on('clientError', () => undefined)
  const socket = new PassThrough()
  server.emit('connection', socket)
  socket.emit('data', bytes)
  socket.destroy()
  return parsed
}

const byUs = (bytes: Buffer): Parsed | undefined => {
  const text = connectHeadIn(bytes)
  const head = text === undefined ? undefined : readConnectHead(text)
  return head && { ...head, early: bytes.toString('latin1', `${text}${HEAD_END}`.length) }
}

describe('is read', () => {
  test.each<[string, readonly string[], string]>([
    [
      'as curl writes it',
      [...USUAL, AUTHORIZATION, 'User-Agent: curl/8.1', 'Proxy-Connection: Keep-Alive'],
      '',
    ],
    ['with what comes behind it', USUAL, '\u0016\u0003\u0001'],
    ['with white space around values', [USUAL[0], 'Host: \t a.example:443 \t', 'A:b', 'C:'], ''],
    ['with a field twice', [...USUAL, 'A: 1', 'a: 2', AUTHORIZATION, AUTHORIZATION], ''],
    ['of an address', ['CONNECT [2001:db8::1]:443 HTTP/1.1', 'Host: [2001:db8::1]:443'], ''],
  ])('%s', (_name, head, early) => {
    const bytes = Buffer.from(lines(...head) + early, 'latin1')
    expect(byUs(bytes)).toBeDefined()
    expect(byUs(bytes)).toEqual(byNode(bytes))
  })
})

describe('is left to another', () => {
  test.each<[string, string]>([
    ['nothing', ''],
    ['a part of the method', 'CONN'],
    ['a part of the head', lines(...USUAL).slice(0, -1)],
    ['another method', lines('GET http://a.example/ HTTP/1.1', USUAL[1])],
    ['a method in lower case', lines('connect a.example:443 HTTP/1.1', USUAL[1])],
    ['another version', lines('CONNECT a.example:443 HTTP/1.0', USUAL[1])],
    ['two spaces', lines('CONNECT  a.example:443 HTTP/1.1', USUAL[1])],
    ['white space in the target', lines('CONNECT a.example :443 HTTP/1.1', USUAL[1])],
    ['no Host', lines(USUAL[0], AUTHORIZATION)],
    ['a folded line', lines(...USUAL, 'A: b', ' c')],
    ['white space before the colon', lines(...USUAL, 'A : b')],
    ['a name that is none', lines(...USUAL, 'A(: b')],
    ['no name', lines(...USUAL, ': b')],
    ['no colon', lines(...USUAL, 'A')],
    ['a bare line feed', `${USUAL[0]}\r\n${USUAL[1]}\nA: b\r\n\r\n`],
    ['a bare carriage return', lines(...USUAL, 'A: b\rC: d')],
    ['a zero byte', lines(...USUAL, 'A: b\0')],
    ['what is no ASCII', lines(...USUAL, 'A: \u00e9')],
    ['a body', lines(...USUAL, 'Content-Length: 5')],
    ['chunks', lines(...USUAL, 'transfer-encoding: chunked')],
    ['an upgrade', lines(...USUAL, 'Upgrade: h2c')],
    ['a long one', lines(...USUAL, `A: ${'b'.repeat(2048)}`)],
  ])('%s', (_name, head) => {
    expect(byUs(Buffer.from(head, 'latin1'))).toBeUndefined()
  })
})

/** How long it takes to leave a head to another, at best: whatever else the machine does, once in many times it does not. */
const quickestMs = (head: string): number => {
  const bytes = Buffer.from(head, 'latin1')
  expect(byUs(bytes)).toBeUndefined()
  const times = Array.from({ length: 200 }, () => {
    const beganMs = performance.now()
    byUs(bytes)
    return performance.now() - beganMs
  })
  return Math.min(...times)
}

test.each<[string, string]>([
  ['spaces', ' '],
  ['tabs', '\t'],
  ['spaces and tabs by turns', ' \t'],
  ['words', 'b '],
])(
  '%s without end before what is no text take no longer to read than letters do',
  (_name, what) => {
    const [begin, end] = [`${USUAL[0]}\r\n${USUAL[1]}\r\nA:`, '\x01\r\n\r\n']
    const filled = (piece: string) => begin + piece.repeat(1900 / piece.length) + end
    expect(quickestMs(filled(what)) / quickestMs(filled('b'))).toBeLessThan(20)
  },
)

/** Numbers that are the same each time (Park and Miller). */
const numbers = (seed: number) => (below: number) =>
  (seed = (seed * 48_271) % 2_147_483_647) % below

const PIECES = ['\r\n', '\n', '\r', '\r\n\r\n', ' ', '\t', ':', '\0', 'Host: b', 'A: b', '\u00ff', 'HTTP/1.1', 'CONNECT ', '\r\n ', 'Content-Length: 1\r\n', ','] // prettier-ignore

test('whatever is read of 20,000 heads that somebody has spoilt, Node’s parser reads the same', () => {
  const next = numbers(7)
  let taken = 0
  for (let round = 0; round < 20_000; round++) {
    let text = lines(...USUAL, AUTHORIZATION, 'X: y')
    for (let edit = next(3); edit >= 0; edit--) {
      const at = next(text.length)
      const piece = PIECES[next(PIECES.length)] ?? ''
      text = text.slice(0, at) + piece + text.slice(at + next(3))
    }
    const bytes = Buffer.from(text, 'latin1')
    const ours = byUs(bytes)
    if (!ours) continue
    taken++
    const theirs = byNode(bytes)
    if (JSON.stringify(ours) !== JSON.stringify(theirs))
      expect([text, ours]).toEqual([text, theirs])
  }
  expect(taken).toBeGreaterThan(1000)
})
