// What the judge of the attack table lets pass beside a row: the kernel's own words, and nothing that could carry anybody's.

import { expect, test } from '@jest/globals'
import {
  OTHER,
  RESOLVER,
  SERVER_ADDRESSES,
  SIDECAR_ADDRESSES,
} from '../../support/egress/addresses.ts'
import { breachesOf } from '../../support/egress/breaches.ts'
import type { Frame } from '../../support/egress/capture.ts'
import type { Row } from '../../support/egress/row.ts'

const ROW: Row = { name: 'a row', language: 'c', words: [], proof: { stage: 'bare', seen: {} } }

const bytes = (...numbers: readonly number[]): string => String.fromCharCode(...numbers)

/** A destination unreachable that quotes a datagram from the resolver to the sidecar. */
const unreachable = ({ code = 3, protocol = 17, port = 53 } = {}): string =>
  [
    bytes(3, code, 0xbd, 0xa6, 0, 0, 0, 0),
    bytes(0x45, 0, 0, 73, 0xed, 0xbd, 0x40, 0, 64, protocol, 0x69, 0x4d),
    bytes(10, 96, 0, 10, 10, 77, 0, 3, port >> 8, port & 255, 0xea, 0x27, 0, 53, 1, 2),
    'an answer',
  ].join('')

const [SIDECAR] = SIDECAR_ADDRESSES
const LATE: Frame = { kind: 'icmp', from: SIDECAR, to: RESOLVER, text: unreachable() }

test('that nobody waits any more for a late answer of the resolver is no breach', () => {
  expect(breachesOf([LATE], ROW)).toEqual([])
})

test.each<[string, Partial<Frame>]>([
  ['of the server', { from: SERVER_ADDRESSES[0] }],
  ['to somebody else', { to: OTHER.v4 }],
  ['about a host', { text: unreachable({ code: 1 }) }],
  ['about another protocol', { text: unreachable({ protocol: 6 }) }],
  ['about another service', { text: unreachable({ port: 5353 }) }],
  ['that is an echo request', { text: `\b\0${unreachable().slice(2)}` }],
  ['that is no quotation', { text: '\x03\x03way-out' }],
  ['in a datagram', { kind: 'udp', port: 53 }],
])('one %s is', (_name, other) => {
  const frame = { ...LATE, ...other }
  expect(breachesOf([frame], ROW)).toEqual([frame])
})
