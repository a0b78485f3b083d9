// What went past the proxy and may not: a word and what to do instead.

import { expect, test } from '@jest/globals'
import { pastRefusal } from '../../../../../sidecar/egress/reach/past-proxy.ts'

const at = (address: string, port: number) => ({ how: 'tcp', address, port }) as const
const socket = (domain: number, type: number, protocol: number) =>
  ({ how: 'other', address: undefined, port: 0, socket: { domain, type, protocol } }) as const

test.each([
  ['an address', at('203.0.113.80', 25), 'past-proxy', 'declare a forward, `LOCAL=host:port`'],
  ['a private one', at('10.0.0.1', 25), 'past-proxy', 'let the program use HTTPS_PROXY'],
  ['metadata', at('169.254.169.254', 80), 'forbidden-address', "a cloud's metadata service"],
  ['metadata, mapped', at('::ffff:a9fe:a9fe', 80), 'forbidden-address', 'metadata service'],
  ['a neighbour', at('127.0.0.1', 9200), 'loopback', 'forward `9200=127.0.0.1:9200`'],
  ['a neighbour over IPv6', at('::1', 9200), 'loopback', 'forward `9200=[::1]:9200`'],
  ['the sidecar', at('127.0.0.1', 15_201), 'forbidden-address', "the sidecar's own port"],
  [
    'UDP',
    { how: 'udp', address: undefined, port: 0 } as const,
    'protocol',
    'UDP is not let out: names are resolved by the proxy',
  ],
  [
    'UDP to somewhere',
    { how: 'udp', address: '10.96.0.10', port: 53 } as const,
    'protocol',
    'names are resolved by the proxy',
  ],
  [
    'a unix socket',
    { how: 'unix', address: undefined, port: 0 } as const,
    'unix-socket',
    'no process of this server has bound',
  ],
  ['a raw socket', socket(2, 3, 1), 'protocol', 'raw sockets are not let out'],
  ['a raw one over IPv6', socket(10, 3, 58), 'protocol', 'raw sockets are not let out'],
  ['ping', socket(2, 2, 1), 'protocol', 'ping sockets are not let out'],
  ['ping over IPv6', socket(10, 2, 58), 'protocol', 'ping sockets are not let out'],
  ['SCTP', socket(2, 1, 132), 'protocol', 'SCTP sockets are not let out'],
  ['another protocol', socket(2, 2, 136), 'protocol', 'sockets of protocol 136 are not let out'],
  ['packet', socket(17, 3, 3), 'protocol', 'packet sockets are not let out'],
  ['vsock', socket(40, 1, 0), 'protocol', 'vsock sockets are not let out'],
  ['another family', socket(38, 5, 0), 'protocol', 'sockets of family 38 are not let out'],
  [
    'a kind that is not told',
    { how: 'other', address: undefined, port: 0 } as const,
    'protocol',
    'sockets of this kind are not let out',
  ],
])('%s', (_name, tried, why, words) => {
  expect(pastRefusal(tried)).toEqual({ why, words: expect.stringContaining(words) })
})
