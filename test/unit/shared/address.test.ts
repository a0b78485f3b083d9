// What an address is, in every spelling, and which ranges are about it.

import { BlockList, isIP } from 'node:net'
import { describe, expect, test } from '@jest/globals'
import {
  addressOf,
  covers,
  declares,
  holds,
  holdsNear,
  isNearRange,
  kindOf,
  rangeOf,
  takenOutOf,
  textOf,
  type Kind,
  type Range,
} from '../../../shared/address.ts'
import { chanceOf } from '../../support/chance.ts'

const address = (text: string): Uint8Array => {
  const found = addressOf(text)
  if (!found) throw new Error(`${text} is no address`)
  return found
}

const range = (text: string): Range => {
  const found = rangeOf(text)
  if (!found) throw new Error(`${text} is no range`)
  return found
}

describe('kinds', () => {
  // What is within another line's range is of the line that comes first.
  const IN_ORDER = ['near', 'never', 'loopback', 'private', 'reserved'] as const

  test('of IPv4 as Node’s own list of blocked ranges has them, around each end and anywhere', () => {
    const lists = IN_ORDER.map((kind) => {
      const list = new BlockList()
      const cidrs = takenOutOf(range('0.0.0.0/0'), [kind])
      expect(cidrs.length).toBeGreaterThan(0)
      for (const cidr of cidrs) {
        const { bytes, prefix } = range(cidr)
        list.addSubnet(textOf(bytes), prefix, 'ipv4')
      }
      return { kind, cidrs, list }
    })
    const ends = lists.flatMap(({ cidrs }) =>
      cidrs.flatMap((cidr) => {
        const { bytes, prefix } = range(cidr)
        const first = Buffer.from(bytes).readUInt32BE()
        const last = first + 2 ** (32 - prefix) - 1
        return [first - 1, first, last, last + 1].filter((one) => one >= 0 && one < 2 ** 32)
      }),
    )
    const below = chanceOf(4)
    const anywhere = Array.from({ length: 5000 }, () => below(2 ** 32))
    for (const number of [...ends, ...anywhere]) {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32BE(number)
      const text = textOf(bytes)
      const expected = lists.find(({ list }) => list.check(text, 'ipv4'))?.kind ?? 'public'
      expect([text, kindOf(bytes)]).toEqual([text, expected])
    }
  })

  test.each<[string, Kind]>([
    ['8.8.8.8', 'public'],
    ['172.32.0.0', 'public'],
    ['172.15.255.255', 'public'],
    ['100.63.255.255', 'public'],
    ['100.128.0.0', 'public'],
    ['2606:4700::1111', 'public'],
    ['2001:4860:4860::8888', 'public'],
    ['10.0.0.1', 'private'],
    ['172.16.0.0', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['198.19.255.255', 'private'],
    ['240.0.0.1', 'private'],
    ['fd12:3456::1', 'private'],
    ['fc00::', 'private'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['::1', 'loopback'],
    ['169.254.169.254', 'near'],
    ['169.254.0.0', 'near'],
    ['169.254.170.2', 'near'],
    ['100.100.100.200', 'near'],
    ['168.63.129.16', 'near'],
    ['192.0.0.192', 'near'],
    ['fe80::1', 'near'],
    ['febf::1', 'near'],
    ['fd00:ec2::254', 'near'],
    ['fd00:ec2::23', 'near'],
    ['fd20:ce::254', 'near'],
    ['fd00:42::42', 'near'],
    ['0.0.0.0', 'never'],
    ['0.1.2.3', 'never'],
    ['224.0.0.1', 'never'],
    ['239.255.255.255', 'never'],
    ['255.255.255.255', 'never'],
    ['::', 'never'],
    ['ff02::1', 'never'],
    ['192.0.0.1', 'reserved'],
    ['192.0.2.1', 'reserved'],
    ['192.88.99.1', 'reserved'],
    ['198.51.100.1', 'reserved'],
    ['203.0.113.1', 'reserved'],
    ['2001:db8::1', 'reserved'],
    ['3fff::1', 'reserved'],
    ['fec0::1', 'reserved'],
    ['4000::1', 'reserved'],
    ['100::1', 'reserved'],
    ['2001:1::1', 'reserved'],
  ])('%s is %s', (text, kind) => {
    expect(kindOf(address(text))).toBe(kind)
  })

  /** What is written as IPv6 and leads to IPv4, by what it leads to. */
  test.each<[string, string, Kind]>([
    ['mapped metadata', '::ffff:169.254.169.254', 'near'],
    ['mapped metadata in hex', '::ffff:a9fe:a9fe', 'near'],
    ['mapped metadata at full length', '0:0:0:0:0:ffff:a9fe:a9fe', 'near'],
    ['mapped metadata in capitals', '::FFFF:A9FE:A9FE', 'near'],
    ['mapped loopback', '::ffff:127.0.0.1', 'loopback'],
    ['mapped nothing', '::ffff:0.0.0.0', 'never'],
    ['mapped private', '::ffff:10.0.0.1', 'private'],
    ['mapped public', '::ffff:8.8.8.8', 'public'],
    ['compatible metadata', '::169.254.169.254', 'near'],
    ['compatible loopback', '::127.0.0.1', 'never'],
    ['compatible private', '::10.0.0.1', 'reserved'],
    ['compatible public', '::8.8.8.8', 'reserved'],
    ['translated metadata (SIIT)', '::ffff:0:169.254.169.254', 'near'],
    ['translated loopback (SIIT)', '::ffff:0:127.0.0.1', 'never'],
    ['NAT64 of metadata', '64:ff9b::169.254.169.254', 'near'],
    ["NAT64 of Azure's", '64:ff9b::a83f:8110', 'near'],
    ['NAT64 of loopback', '64:ff9b::127.0.0.1', 'never'],
    ['NAT64 of private', '64:ff9b::10.0.0.1', 'reserved'],
    ['NAT64 of public', '64:ff9b::8.8.8.8', 'public'],
    ['NAT64 of a site, of metadata', '64:ff9b:1::169.254.169.254', 'near'],
    ['the same with a prefix of 48 bits', '64:ff9b:1:a9fe:a9:fe00::', 'near'],
    ['NAT64 of a site, of loopback', '64:ff9b:1::127.0.0.1', 'never'],
    ['NAT64 of a site, of public', '64:ff9b:1::8.8.8.8', 'reserved'],
    ['6to4 of metadata', '2002:a9fe:a9fe::1', 'near'],
    ['6to4 of loopback', '2002:7f00:1::1', 'never'],
    ['6to4 of private', '2002:a00:1::1', 'reserved'],
    ['6to4 of public', '2002:808:808::1', 'reserved'],
    ['Teredo by a metadata server', '2001:0:a9fe:a9fe::1', 'near'],
    ['Teredo to metadata', '2001:0:808:808:0:0:5601:5601', 'near'],
    ['Teredo to loopback', '2001:0:808:808:0:0:80ff:fffe', 'never'],
    ['ISATAP of metadata', '2606:4700::5efe:169.254.169.254', 'near'],
    ['ISATAP of metadata, universal', '2606:4700::200:5efe:a9fe:a9fe', 'near'],
    ['ISATAP of loopback', 'fd00::5efe:127.0.0.1', 'never'],
    ['ISATAP of private', '2606:4700::5efe:10.0.0.1', 'reserved'],
  ])('%s: %s is %s', (_name, text, kind) => {
    expect(kindOf(address(text))).toBe(kind)
  })
})

test.each([
  ['a zone', 'fe80::1%eth0'],
  ['a name', 'localhost'],
  ['one number', '2130706433'],
  ['two numbers', '127.1'],
  ['hex', '0x7f.0.0.1'],
  ['octal', '0177.0.0.1'],
  ['a leading zero', '127.0.0.01'],
  ['brackets', '[::1]'],
  ['white space', ' 127.0.0.1'],
  ['wide digits', '１27.0.0.1'],
  ['nothing', ''],
])('%s is no address', (_name, text) => {
  expect(addressOf(text)).toBeUndefined()
})

test.each([
  ['8.8.8.8', '8.8.8.8'],
  ['::ffff:8.8.8.8', '8.8.8.8'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['::', '::'],
  ['1::', '1::'],
  ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
])('%s is told as %s', (text, told) => {
  expect(textOf(address(text))).toBe(told)
})

test('what is told leads back to the same bytes', () => {
  const random = chanceOf(20_261_129)
  for (let round = 0; round < 5000; round++) {
    const length = random(2) === 0 ? 4 : 16
    // Many zeros: what is shortened is where readers differ.
    const bytes = Uint8Array.from({ length }, () => (random(3) === 0 ? random(256) : 0))
    const text = textOf(bytes)
    expect(isIP(text)).not.toBe(0)
    expect(textOf(address(text))).toBe(text)
    if (length === 4) expect([...address(text)]).toEqual([...bytes])
  }
})

describe('ranges', () => {
  test.each<[string, string, boolean]>([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.1.2.3/8', '10.9.9.9', true],
    ['10.0.0.0/9', '10.127.255.255', true],
    ['10.0.0.0/9', '10.128.0.0', false],
    ['10.0.0.7/32', '10.0.0.7', true],
    ['10.0.0.7', '10.0.0.8', false],
    ['0.0.0.0/0', '8.8.8.8', true],
    ['::/0', '8.8.8.8', false],
    ['::/0', '::ffff:8.8.8.8', false],
    ['::ffff:10.0.0.0/104', '10.1.1.1', true],
    ['0.0.0.0/0', '2606::1', false],
    ['2001:db8::/33', '2001:db8:7fff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
  ])('%s and %s: %s', (outer, text, expected) => {
    expect(holds(range(outer), address(text))).toBe(expected)
  })

  test.each([
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '::/129',
    '10.0.0.0/8/8',
    '/8',
    'a/8',
    '',
  ])('%s is none', (text) => {
    expect(rangeOf(text)).toBeUndefined()
  })

  test('one covers another', () => {
    expect(covers(range('10.0.0.0/8'), range('10.1.0.0/16'))).toBe(true)
    expect(covers(range('10.1.0.0/16'), range('10.0.0.0/8'))).toBe(false)
    expect(covers(range('10.0.0.0/8'), range('::/128'))).toBe(false)
  })
})

describe('what a range declares', () => {
  test.each<[string, string, boolean]>([
    ['0.0.0.0/0', '8.8.8.8', true],
    ['0.0.0.0/0', '10.0.0.1', false],
    ['0.0.0.0/0', '127.0.0.1', false],
    ['0.0.0.0/0', '169.254.169.254', false],
    ['8.0.0.0/6', '10.0.0.1', false],
    ['10.0.0.0/8', '10.0.0.1', true],
    ['100.64.0.0/10', '100.100.100.200', false],
    ['100.100.100.200/32', '100.100.100.200', true],
    ['169.254.0.0/16', '169.254.169.254', true],
    ['168.0.0.0/6', '169.254.169.254', false],
    ['127.0.0.0/8', '127.0.0.1', true],
    ['127.0.0.1', '127.0.0.1', true],
    ['127.0.0.1', '::ffff:7f00:1', true],
    ['0.0.0.0/8', '0.0.0.0', false],
    ['0.0.0.0', '0.0.0.0', false],
    ['224.0.0.0/4', '224.0.0.1', false],
    ['::/0', '::1', false],
    ['::/0', 'fd12::1', false],
    ['::/0', '2606:4700::1', true],
    ['::1', '::1', true],
    ['::', '::', false],
    ['fc00::/7', 'fd12::1', true],
    ['fc00::/7', 'fd00:ec2::254', false],
    ['fd00:ec2::254', 'fd00:ec2::254', true],
    ['64:ff9b::/96', '64:ff9b::a9fe:a9fe', false],
    ['64:ff9b::/96', '64:ff9b::7f00:1', false],
    ['64:ff9b::a9fe:a9fe', '64:ff9b::a9fe:a9fe', true],
    ['64:ff9b::/96', '64:ff9b::a00:1', true],
    ['2002::/16', '2002:a9fe:a9fe::1', false],
    ['2002:a9fe::/32', '2002:a9fe:a9fe::1', true],
    ['203.0.113.0/24', '203.0.113.9', true],
    ['2606:4700::/32', '2606:4700::5efe:10.0.0.1', false],
  ])('%s, %s: %s', (outer, text, expected) => {
    expect(declares(range(outer), address(text))).toBe(expected)
  })
})

describe('ranges of the link and of metadata services', () => {
  test.each<[string, boolean, boolean]>([
    ['169.254.0.0/16', true, true],
    ['169.254.169.254', true, true],
    ['169.0.0.0/8', false, true],
    ['0.0.0.0/0', false, true],
    ['100.64.0.0/10', false, true],
    ['10.0.0.0/8', false, false],
    ['fe80::/10', true, true],
    ['fc00::/7', false, true],
    ['::/0', false, true],
    ['64:ff9b::/96', false, true],
    ['64:ff9b::a9fe:0/112', true, true],
    ['2002::/16', false, true],
    ['2002:a9fe::/32', true, true],
    ['::ffff:a9fe:0/112', true, true],
  ])('%s: nothing else %s, any %s', (text, isAll, isAny) => {
    expect([isNearRange(range(text)), holdsNear(range(text))]).toEqual([isAll, isAny])
  })
})
