// Who listens in the pod, read from the kernel's tables, and what is said of it.

import { describe, expect, test } from '@jest/globals'
import { listenersIn, whereElse } from '../../../../sidecar/server/listeners.ts'

const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode'
const row = (local: string, state: string, uid: number): string =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000 ${String(uid).padStart(5)}        0 12345 1 0000000000000000 100 0 0 10 0`

const IPV4 = row('0100007F:1F90', '0A', 10_001)
const IPV6 = row('00000000000000000000000001000000:0BB8', '0A', 10_001)

describe('rows', () => {
  test.each([
    ['of IPv4', [HEAD, IPV4], [{ port: 8080, uid: 10_001 }]],
    ['of IPv6', [HEAD, IPV6], [{ port: 3000, uid: 10_001 }]],
    ['of connections are left out', [HEAD, row('0100007F:1F90', '01', 10_001)], []],
    ['that are cut off are left out', [HEAD, IPV4.slice(0, 60)], []],
    ['there are none of', [''], []],
  ])('%s', (_name, lines, expected) => {
    expect(listenersIn(lines.join('\n'))).toEqual(expected)
  })
})

describe('a server that is not where it was looked for', () => {
  const at = (...ports: readonly number[]) => ports.map((port) => ({ port, uid: 10_001 }))

  test.each([
    ['nobody listens', [], undefined],
    ['only we listen', [{ port: 15_200, uid: 21_520 }], undefined],
    ['one port, in both families', at(3000, 3000), 'on 3000: if'],
    ['several ports, in order', at(9090, 3000), 'on 3000, 9090: if'],
    ['many ports', at(...Array.from({ length: 1000 }, (_, i) => i + 1)), '7, 8 and 992 more: if'],
  ])('%s', (_name, listeners, expected) => {
    const said = whereElse(listeners, 21_520)
    if (expected === undefined) expect(said).toBeUndefined()
    else expect(said).toContain(expected)
  })
})
