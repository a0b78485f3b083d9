// What the kernel's tables show of connections past the proxy: tables of the test's, in the kernel's own form.

import { beforeEach, describe, expect, test } from '@jest/globals'
import {
  Observer,
  type Direct,
  type OpenListener,
} from '../../../../../sidecar/egress/observer/observer.ts'
import { eachRow } from '../../../../../sidecar/egress/observer/sockets.ts'

const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'
const OWN_UID = 12_000
const SERVER_UID = 10_001

/** An address and port as a machine that puts the lowest byte first prints them. */
const place = (address: string, port: number): string => {
  const octets = address.includes(':')
    ? [...new Uint8Array(Buffer.from(expanded(address), 'hex'))]
    : address.split('.').map(Number)
  const words = Array.from({ length: octets.length / 4 }, (_, word) =>
    octets.slice(word * 4, word * 4 + 4).toReversed(),
  )
  const hex = (value: number, digits: number): string =>
    value.toString(16).toUpperCase().padStart(digits, '0')
  return `${words
    .flat()
    .map((octet) => hex(octet, 2))
    .join('')}:${hex(port, 4)}`
}

const expanded = (address: string): string => {
  const [head = '', tail = ''] = address.split('::')
  const groups = (text: string): string[] => text.split(':').filter((group) => group !== '')
  const missing = 8 - groups(head).length - groups(tail).length
  const all = [...groups(head), ...Array.from({ length: missing }, () => '0'), ...groups(tail)]
  return all.map((group) => group.padStart(4, '0')).join('')
}

interface Socket {
  readonly local?: readonly [string, number]
  readonly remote: readonly [string, number]
  readonly state?: string
  readonly uid?: number
  readonly inode: number
}

const [ESTABLISHED, LISTEN] = ['01', '0A']

const line = (
  { local = ['10.1.2.3', 40_000], remote, state = ESTABLISHED, uid = SERVER_UID, inode }: Socket,
  index: number,
): string =>
  `${`${index}`.padStart(4)}: ${place(...local)} ${place(...remote)} ${state} 00000000:00000000 00:00000000 00000000 ${`${uid}`.padStart(5)}        0 ${inode} 1 000000008a1e433c 100 0 0 10 0\n`

const tableOf = (sockets: readonly Socket[]): Buffer =>
  Buffer.from(HEAD + sockets.map(line).join(''))

let nowMs: number
let costMs: number
let found: Direct[]
let open: OpenListener[]
let tcp: readonly Socket[]
let tcp6: readonly Socket[]
let udp: readonly Socket[]
let reads: number
let observer: Observer

beforeEach(() => {
  nowMs = 0
  costMs = 0
  found = []
  open = []
  tcp = []
  tcp6 = []
  udp = []
  reads = 0
  const table = (protocol: 'tcp' | 'udp', digits: 8 | 32, sockets: () => readonly Socket[]) => ({
    protocol,
    digits,
    read: () => {
      reads++
      nowMs += costMs / 3
      return tableOf(sockets())
    },
  })
  observer = new Observer({
    tables: [table('tcp', 8, () => tcp), table('tcp', 32, () => tcp6), table('udp', 8, () => udp)],
    ownUid: OWN_UID,
    ownAddresses: ['10.1.2.3', 'fd00::3'],
    now: () => nowMs,
    onDirect: (direct) => void found.push(direct),
    onListener: (listener) => void open.push(listener),
  })
})

const FAR: readonly [string, number] = ['203.0.113.80', 443]

describe('a connection', () => {
  const DIRECT = { protocol: 'tcp', address: '203.0.113.80', port: 443, uid: SERVER_UID }

  test.each<[string, readonly Socket[], readonly unknown[]]>([
    ['to somewhere', [{ remote: FAR, inode: 7 }], [DIRECT]],
    ['that is being made', [{ remote: FAR, inode: 7, state: '02' }], [DIRECT]],
    ["of the sidecar's", [{ remote: FAR, inode: 7, uid: OWN_UID }], []],
    ["of another container's", [{ remote: FAR, inode: 7, uid: 0 }], [{ ...DIRECT, uid: 0 }]],
    ['that no process has any more', [{ remote: FAR, inode: 0, state: '06' }], []],
    ['within the machine', [{ remote: ['127.9.9.9', 15_202], inode: 7 }], []],
    ["to the pod's own address", [{ remote: ['10.1.2.3', 80], inode: 7 }], []],
    [
      'that has come to a listener',
      [
        { local: ['0.0.0.0', 8080], remote: ['0.0.0.0', 0], state: LISTEN, uid: OWN_UID, inode: 6 },
        { local: ['10.1.2.3', 8080], remote: FAR, inode: 7 },
      ],
      [],
    ],
    [
      'that has come to a listener at that address',
      [
        { local: ['10.1.2.3', 80], remote: ['0.0.0.0', 0], state: LISTEN, uid: OWN_UID, inode: 6 },
        { local: ['10.1.2.3', 80], remote: FAR, inode: 7 },
      ],
      [],
    ],
    [
      'from the port of a listener on loopback',
      [
        { local: ['127.0.0.1', 80], remote: ['0.0.0.0', 0], state: LISTEN, inode: 6 },
        { local: ['10.1.2.3', 80], remote: FAR, inode: 7 },
      ],
      [DIRECT],
    ],
  ])('%s', (_what, sockets, expected) => {
    tcp = sockets
    observer.sweep(false)
    expect(found).toEqual(expected)
  })

  test.each([
    ['of IPv6', '2001:db8:0:0:1::9', '2001:db8::1:0:0:9'],
    ['of an IPv4 address in its clothes', '::ffff:cb00:7150', '203.0.113.80'],
    ['of an address with ffff elsewhere', '::ffff:1:2:3', '::ffff:1:2:3'],
  ])('%s', (_what, address, told) => {
    tcp6 = [{ local: ['fd00::3', 40_000], remote: [address, 443], inode: 7 }]
    observer.sweep(false)
    expect(found).toMatchObject([{ address: told, port: 443 }])
  })

  test.each(['::1', '::ffff:7f00:1', 'fd00::3'])('of IPv6 to %s is none', (address) => {
    tcp6 = [{ local: ['fd00::3', 40_000], remote: [address, 443], inode: 7 }]
    observer.sweep(false)
    expect(found).toEqual([])
  })

  test('by UDP', () => {
    udp = [
      { remote: ['198.51.100.53', 53], inode: 7 },
      { remote: ['0.0.0.0', 0], inode: 8, state: '07' },
    ]
    observer.sweep(false)
    expect(found).toMatchObject([{ protocol: 'udp', address: '198.51.100.53', port: 53 }])
  })

  test('is told once for as long as it stands there, and again when its number comes again', () => {
    tcp = [{ remote: FAR, inode: 7 }]
    observer.sweep(true)
    observer.sweep(true)
    expect(found).toHaveLength(1)
    tcp = []
    observer.sweep(true)
    tcp = [{ remote: FAR, inode: 7 }]
    observer.sweep(true)
    expect(found).toHaveLength(2)
  })
})

describe('a listener', () => {
  test.each<[string, readonly [string, number], number, boolean]>([
    ['on every address', ['0.0.0.0', 9229], SERVER_UID, true],
    ["on the pod's", ['10.1.2.3', 9229], SERVER_UID, true],
    ['on loopback', ['127.0.0.1', 9229], SERVER_UID, false],
    ["of the sidecar's", ['0.0.0.0', 15_200], OWN_UID, false],
  ])('%s', (_what, local, uid, isTold) => {
    tcp = [{ local, remote: ['0.0.0.0', 0], state: LISTEN, uid, inode: 6 }]
    observer.sweep(true)
    observer.sweep(true)
    expect(open).toEqual(isTold ? [{ address: local[0], port: local[1], uid }] : [])
  })

  test('is one of 64 that are told', () => {
    tcp = Array.from({ length: 100 }, (_, index) => ({
      local: ['0.0.0.0', 1024 + index],
      remote: ['0.0.0.0', 0],
      state: LISTEN,
      inode: index + 1,
    }))
    observer.sweep(true)
    expect(open).toHaveLength(64)
  })
})

describe('it looks', () => {
  test('every two seconds, and each time while a call is in flight', () => {
    const looked = (isBusy: boolean, atMs: number): boolean => {
      const before = reads
      nowMs = atMs
      observer.sweep(isBusy)
      return reads > before
    }
    expect([
      looked(false, 0),
      looked(false, 250),
      looked(false, 1750),
      looked(false, 2000),
      looked(true, 2250),
      looked(true, 2500),
      looked(false, 2750),
      looked(false, 4500),
    ]).toEqual([true, false, false, true, true, true, false, true])
  })

  test('no more often than it has time for: a hundredth of it', () => {
    costMs = 30
    for (let ms = 0; ms < 60_000; ms += 250) {
      nowMs = Math.max(nowMs, ms)
      observer.sweep(true)
    }
    expect(reads / 3).toBe(20)
  })
})

describe('a table that is not whole', () => {
  const rows = (text: string): number => {
    let count = 0
    eachRow(Buffer.from(text), 8, () => count++)
    return count
  }
  const whole = tableOf([
    { remote: FAR, inode: 7 },
    { remote: FAR, inode: 8 },
  ]).toString()

  test.each([
    ['empty', '', 0],
    ['its head', HEAD, 0],
    ['without line ends', HEAD.trimEnd(), 0],
    ['cut off in a row', whole.slice(0, -80), 1],
    ['with lines of nothing', `${HEAD}\n\n:\n: \n`, 0],
    ['whole', whole, 2],
  ])('%s', (_what, text, count) => {
    expect(rows(text)).toBe(count)
  })

  test('wherever it is cut, no row is read beyond it', () => {
    for (let end = 0; end < whole.length; end++) {
      expect(rows(whole.slice(0, end))).toBeLessThan(2)
    }
  })
})
