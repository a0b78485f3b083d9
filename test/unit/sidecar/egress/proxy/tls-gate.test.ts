// What a client says first: whole, byte by byte, and said a second time.

import { describe, expect, test } from '@jest/globals'
import { TlsGate, type GateRules, type Step } from '../../../../../sidecar/egress/proxy/tls-gate.ts'
import { chanceOf } from '../../../../support/chance.ts'
import {
  ENCRYPTED_HELLO,
  hello,
  helloMessage,
  records,
  serverNames,
} from '../../../../support/client-hello.ts'

const RULES: GateRules = {
  isTlsPort: true,
  accepts: (name) => name === 'a.example',
  isLenient: false,
}

interface Seen {
  readonly passed: string
  readonly refused: string | undefined
  readonly isOpen: boolean
}

const through = (pieces: readonly Buffer[], rules: Partial<GateRules> = {}): Seen => {
  const gate = new TlsGate({ ...RULES, ...rules })
  const steps: Step[] = pieces.map((piece) => gate.push(piece))
  return {
    passed: Buffer.concat(steps.map(({ bytes }) => bytes)).toString('hex'),
    refused: steps.find(({ refused }) => refused !== undefined)?.refused,
    isOpen: steps.at(-1)?.isOpen ?? false,
  }
}

const bytewise = (bytes: Buffer): Buffer[] => Array.from(bytes, (byte) => Buffer.of(byte))

const GOOD = hello('a.example')
const BAD = hello('b.example')
const CHANGE = records(Buffer.of(1), 1, 20)
const DATA = records(Buffer.from('something encrypted'), 100, 23)
const KEY_EXCHANGE = records(Buffer.from([16, 0, 0, 4, 9, 9, 9, 9]))
/** What ends a handshake of TLS 1.2 that is taken up again: encrypted, and of the type of a handshake. */
const FINISHED = records(Buffer.concat([Buffer.of(1), Buffer.alloc(39, 0x5a)]))
const second = (name: string, size = 16_384): Buffer =>
  records(helloMessage([serverNames([0, name])]), size)

const cuts = (bytes: Buffer): readonly (readonly [string, readonly Buffer[]])[] => [
  ['at once', [bytes]],
  ['byte by byte', bytewise(bytes)],
  ['in two', [bytes.subarray(0, 40), bytes.subarray(40)]],
]

describe('goes through', () => {
  const cases: readonly (readonly [string, Buffer, Partial<GateRules>])[] = [
    ['the name', GOOD, {}],
    ['the name in records', records(helloMessage([serverNames([0, 'a.example'])]), 20), {}],
    ['the name, then data', Buffer.concat([GOOD, CHANGE, DATA]), {}],
    ['the name, then keys', Buffer.concat([GOOD, KEY_EXCHANGE, CHANGE, FINISHED]), {}],
    ['the name, taken up again', Buffer.concat([GOOD, CHANGE, FINISHED]), {}],
    ['the name, said twice', Buffer.concat([GOOD, CHANGE, second('a.example'), DATA]), {}],
    ['the name on another port', GOOD, { isTlsPort: false }],
    ['something else on another port', Buffer.from('GET / HTTP/1.1\r\n\r\n'), { isTlsPort: false }],
    ['what begins like TLS and is none', Buffer.from([22, 4, 1, 2, 3]), { isTlsPort: false }],
    ['PostgreSQL', Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]), { isTlsPort: false }],
  ]
  test.each(
    cases.flatMap(([name, bytes, rules]) =>
      cuts(bytes).map(([how, pieces]) => [`${name}, ${how}`, bytes, { pieces, rules }] as const),
    ),
  )('%s', (_name, bytes, { pieces, rules }) => {
    const seen = through(pieces, rules)
    expect([seen.passed, seen.refused]).toEqual([bytes.toString('hex'), undefined])
  })
})

describe('does not', () => {
  const cases: readonly (readonly [string, Buffer, string, number])[] = [
    ['another name', BAD, 'tls-name', 0],
    ['no name', hello(undefined), 'tls-name', 0],
    [
      'an encrypted name behind the right one',
      hello('a.example', ENCRYPTED_HELLO),
      'tls-encrypted-name',
      0,
    ],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'no-tls', 0],
    ['what is nearly TLS', Buffer.from([22, 4, 1, 2, 3]), 'no-tls', 0],
    [
      'another name the second time',
      Buffer.concat([GOOD, second('b.example')]),
      'tls-name',
      GOOD.length,
    ],
    [
      'the same behind a change of ciphers',
      Buffer.concat([GOOD, CHANGE, second('b.example')]),
      'tls-name',
      GOOD.length + CHANGE.length,
    ],
    [
      'the same in small records',
      Buffer.concat([GOOD, CHANGE, second('b.example', 12)]),
      'tls-name',
      GOOD.length + CHANGE.length,
    ],
    [
      'the same in records that are too small to be read',
      Buffer.concat([GOOD, second('b.example', 5)]),
      'no-tls',
      GOOD.length,
    ],
  ]
  test.each(
    cases.flatMap(([name, bytes, refused, passed]) =>
      cuts(bytes).map(
        ([how, pieces]) => [`${name}, ${how}`, bytes, { pieces, refused, passed }] as const,
      ),
    ),
  )('%s', (_name, bytes, { pieces, refused, passed }) => {
    const seen = through([...pieces, GOOD])
    expect(seen.refused).toBe(refused)
    // Of what was held with it nothing has gone on.
    expect(bytes.subarray(0, passed).toString('hex').startsWith(seen.passed)).toBe(true)
    expect(seen.isOpen).toBe(false)
  })

  test('another name on another port', () => {
    expect(through([BAD], { isTlsPort: false }).refused).toBe('tls-name')
  })
})

test('where it is lenient all goes through, and is told', () => {
  expect(through([BAD, DATA], { isLenient: true })).toEqual({
    passed: Buffer.concat([BAD, DATA]).toString('hex'),
    refused: 'tls-name',
    isOpen: true,
  })
})

test('however it is cut, the same goes through', () => {
  const random = chanceOf(20_261_129)
  const flows = [
    Buffer.concat([GOOD, CHANGE, second('a.example', 30), CHANGE, DATA, DATA]),
    Buffer.concat([GOOD, CHANGE, FINISHED, DATA]),
    Buffer.concat([GOOD, CHANGE, second('b.example', 30), DATA]),
    Buffer.concat([GOOD, DATA]),
  ]
  for (let round = 0; round < 5000; round++) {
    const flow = flows[random(flows.length)] ?? GOOD
    const pieces: Buffer[] = []
    for (let at = 0; at < flow.length;) {
      const length = 1 + random(random(3) === 0 ? flow.length : 9)
      pieces.push(flow.subarray(at, at + length))
      at += length
    }
    const [cut, whole] = [through(pieces), through([flow])]
    expect(cut.refused).toBe(whole.refused)
    if (whole.refused === undefined) expect(cut.passed).toBe(flow.toString('hex'))
    else expect(cut.passed.length).toBeLessThanOrEqual(2 * (GOOD.length + CHANGE.length))
  }
})
