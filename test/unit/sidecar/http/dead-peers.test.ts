// Which connections of the kernel's table have a peer that answers no more, by rows as Linux 6 prints them.

import { describe, expect, test } from '@jest/globals'
import { silentIn } from '../../../../sidecar/http/dead-peers.ts'

const TRIES = 3
const LISTENING =
  '   0: 00000000:3B60 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1001 1 0000000000000000 100 0 0 10 0'

/** An established connection of 10.77.0.2:15200 with 10.77.0.3:40000, or as the fields say otherwise. */
const row = ({
  local = '02004D0A:3B60',
  remote = '03004D0A:9C40',
  state = '01',
  timer = '01',
  sent = 0,
  asked = 0,
} = {}): string =>
  `   1: ${local} ${remote} ${state} 00000012:00000000 ${timer}:00000A00 ${sent.toString(16).toUpperCase().padStart(8, '0')}  1000        ${asked} 54321 2 0000000000000000 20 4 30 10 -1`

const V4 = '10.77.0.2 15200 10.77.0.3 40000'

describe('a connection', () => {
  test.each<[string, string, readonly string[]]>([
    ['that is fine', row({ timer: '00' }), []],
    ['whose last bytes are on their way', row({ sent: 0 }), []],
    ['that has lost some', row({ sent: TRIES - 1 }), []],
    ['that acknowledges nothing', row({ sent: TRIES }), [V4]],
    ['that has not for long', row({ sent: 15 }), [V4]],
    ['whose reader is full, and answers', row({ timer: '04', asked: 1 }), []],
    ['whose reader was full and answers no more', row({ timer: '04', asked: TRIES }), [V4]],
    ['that the peer has closed', row({ state: '08', sent: TRIES }), [V4]],
    ['that we have closed', row({ state: '04', sent: TRIES }), []],
    ['that is not one yet', row({ state: '02', sent: TRIES }), []],
    ['that listens', LISTENING, []],
  ])('%s', (_name, line, expected) => {
    expect(silentIn(`${LISTENING}\n${line}\n`)).toEqual(expected)
  })

  test.each([
    [
      'of IPv6',
      '000077FD000000000000000002000000:3B60',
      '000077FD000000000000000003000000:9C40',
      '[fd77::2] 15200 [fd77::3] 40000',
    ],
    [
      'of IPv4 at a socket of both families',
      '0000000000000000FFFF000002004D0A:3B60',
      '0000000000000000FFFF000003004D0A:9C40',
      V4,
    ],
  ])('%s', (_name, local, remote, expected) => {
    expect(silentIn(`${row({ local, remote, sent: TRIES })}\n`)).toEqual([expected])
  })
})

test('a table without rows, or of another kind, has none', () => {
  expect(
    ['', '\n', 'sl local_address', 'x'.repeat(1000)].flatMap((text) => silentIn(text)),
  ).toEqual([])
})
