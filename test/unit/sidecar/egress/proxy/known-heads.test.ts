// Heads that came before: read once, and no two taken for one.

import { expect, test } from '@jest/globals'
import { KnownHeads, type ReadHead } from '../../../../../sidecar/egress/proxy/known-heads.ts'

const headOf = (host: string, ...more: readonly string[]): string =>
  [`CONNECT ${host} HTTP/1.1`, `Host: ${host}`, ...more, '', ''].join('\r\n')
const AUTHORIZATION = 'Proxy-Authorization: Basic MTpmaXJzdA=='

const readBy = (heads: KnownHeads, text: string): ReadHead => {
  const read = heads.read(Buffer.from(text, 'latin1'))
  if (!read) throw new Error(`it is for another reader: ${text}`)
  return read
}

test('what it says is who asks, and for what', () => {
  expect(readBy(new KnownHeads(undefined), headOf('a.example:443', AUTHORIZATION)).head).toEqual({
    url: 'a.example:443',
    isNamed: true,
    credential: { name: '1', secret: 'first' },
    target: { ok: true, value: { host: { kind: 'name', name: 'a.example' }, port: 443 } },
  })
})

test('one that came before is not read again, and what comes behind it is its own', () => {
  const heads = new KnownHeads(undefined)
  const first = readBy(heads, `${headOf('a.example:443')}one`)
  const second = readBy(heads, `${headOf('a.example:443')}two\u00ff`)
  expect(second.head).toBe(first.head)
  expect([first, second].map(({ early }) => early.toString('latin1'))).toEqual(['one', 'two\u00ff'])
})

test.each([
  ['another host', headOf('b.example:443', AUTHORIZATION)],
  ['another port', headOf('a.example:444', AUTHORIZATION)],
  ['another credential', headOf('a.example:443', `${AUTHORIZATION.slice(0, -3)}g==`)],
  ['none', headOf('a.example:443')],
  ['two', headOf('a.example:443', AUTHORIZATION, AUTHORIZATION)],
  ['another case', headOf('A.example:443', AUTHORIZATION)],
])('one with %s is another', (_name, text) => {
  const heads = new KnownHeads(undefined)
  const known = readBy(heads, headOf('a.example:443', AUTHORIZATION))
  const read = readBy(heads, text)
  expect(read.head).not.toBe(known.head)
  expect(read).toEqual(readBy(new KnownHeads(undefined), text))
})

test('what is for another reader stays so', () => {
  const heads = new KnownHeads(undefined)
  const bytes = Buffer.from(headOf('a.example:443', 'Upgrade: h2c'))
  expect([heads.read(bytes), heads.read(bytes)]).toEqual([undefined, undefined])
})

test('no more than 64 are kept, and the first goes first', () => {
  const heads = new KnownHeads(undefined)
  const read = (number: number) => readBy(heads, headOf(`a${number}.example:443`)).head
  const all = Array.from({ length: 65 }, (_, number) => read(number))
  expect(read(1)).toBe(all[1])
  expect(read(64)).toBe(all[64])
  expect(read(0)).not.toBe(all[0])
  expect(read(1)).not.toBe(all[1])
})
