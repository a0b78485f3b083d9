import type { LookupAddress } from 'node:dns'
import { describe, expect, test } from '@jest/globals'
import { addressOf, kindOf } from '../../../../shared/address.ts'
import { judgeHost, lookupWithin, reachOf, type Reach } from '../../../../webhook/images/reach.ts'

const reach = (base: string, ...realms: readonly string[]): Reach =>
  reachOf({ base: new URL(base), realms })

const MAY: readonly (readonly [string, string, string, string, boolean])[] = [
  ['a listed host, public', 'https://r.example', 'r.example', '8.8.8.8', true],
  ['a listed host, private', 'https://r.example', 'r.example', '10.1.2.3', true],
  ['a listed host, on the link', 'https://r.example', 'r.example', '169.254.169.254', false],
  [
    'a listed host, a metadata service of IPv6',
    'https://r.example',
    'r.example',
    'fd00:ec2::254',
    false,
  ],
  [
    'the same within an IPv4-mapped one',
    'https://r.example',
    'r.example',
    '::ffff:169.254.169.254',
    false,
  ],
  ['a listed host by its name, on loopback', 'https://r.example', 'r.example', '127.0.0.1', false],
  ['a listed host, nowhere', 'https://r.example', 'r.example', '0.0.0.0', false],
  ['loopback that is listed', 'http://127.0.0.1:5000', '127.0.0.1', '127.0.0.1', true],
  ['loopback that is listed by its name', 'http://localhost:5000', 'localhost', '127.0.0.1', true],
  ['loopback of IPv6 that is listed', 'http://[::1]:5000', '[::1]', '::1', true],
  [
    'a metadata service that is listed',
    'http://169.254.169.254',
    '169.254.169.254',
    '169.254.169.254',
    false,
  ],
  ['another host, public', 'https://r.example', 'cdn.example', '8.8.8.8', true],
  ['another host, private', 'https://r.example', 'cdn.example', '10.1.2.3', false],
  ['another host, on loopback', 'http://127.0.0.1:5000', 'localhost', '127.0.0.1', false],
  ['another host, on the link', 'https://r.example', 'cdn.example', 'fe80::1', false],
]

describe('an address is asked', () => {
  test.each(MAY)('%s', (...[, base, host, address, may]) => {
    const bytes = addressOf(address)
    expect(bytes && reach(base)(host, kindOf(bytes))).toBe(may)
  })

  test('of a realm that is listed', () => {
    expect(
      reach('https://r.example', 'https://auth.example/token')('auth.example', 'private'),
    ).toBe(true)
  })
})

describe('a host that is an address', () => {
  test.each(['169.254.169.254', '[fd00:ec2::254]', '10.0.0.1', 'localhost', '[::ffff:a9fe:a9fe]'])(
    '%s is refused where nobody lists it',
    (host) => {
      expect(() => judgeHost(host, reach('https://r.example'))).toThrow(
        'an address that is not asked',
      )
    },
  )

  test('is asked where it is listed, and a name is judged later', () => {
    expect(() => judgeHost('10.0.0.1', reach('http://10.0.0.1:5000'))).not.toThrow()
    expect(() => judgeHost('cdn.example', reach('https://r.example'))).not.toThrow()
  })
})

describe('a name', () => {
  const found = (...addresses: readonly string[]): readonly LookupAddress[] =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))

  const look = (error: Error | null, addresses: readonly LookupAddress[] = []): unknown => {
    let said: unknown
    const within = lookupWithin(reach('https://r.example'), (_host, done) => done(error, addresses))
    within('r.example', { all: true }, (failure, found) => {
      said = failure?.message ?? found
    })
    return said
  }

  test('leads to all of its addresses where each may be asked', () => {
    const both = found('10.1.2.3', '2606:4700::1')
    expect(look(null, both)).toEqual(both)
  })

  test.each([
    ['one of which may not be asked', found('10.1.2.3', '169.254.169.254')],
    ['of which there are none', found()],
    ['one of which is none', found('fe80::1%eth0')],
  ])('%s leads nowhere', (_name, addresses) => {
    expect(look(null, addresses)).toMatch(/^r\.example is at an address that is not asked/)
  })

  test('that nobody knows is told as the system tells it', () => {
    expect(look(new Error('ENOTFOUND'))).toBe('ENOTFOUND')
  })
})
