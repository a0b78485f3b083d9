// Who a client is by its certificate (X.509-SVID). Each is right, and leads to its trust domain's authority, unless its row
// says otherwise.

import { X509Certificate } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { usesOf } from '../../../../sidecar/identity/extensions.ts'
import { svidOf, type TrustDomain } from '../../../../sidecar/identity/svid.ts'
import { anAuthority, issue, type Issued, type Terms } from '../../../support/certificates.ts'

const ID = 'spiffe://example.org/ns/tools/sa/agent'
const authority = anAuthority('example.org')
const other = anAuthority('other.org')
const stranger = anAuthority('example.org')
const intermediate = anAuthority('intermediate', { by: authority })

const of = ({ cert }: Issued): X509Certificate => new X509Certificate(cert)

const DOMAINS: readonly TrustDomain[] = [
  {
    name: 'example.org',
    ids: ['spiffe://example.org/ns/tools/*', 'spiffe://example.org/ops'],
    authorities: [of(authority)],
  },
  { name: 'other.org', ids: ['spiffe://other.org/*'], authorities: [of(other)] },
]

const svid = (terms: Terms = {}): Issued => issue({ uris: [ID], by: authority, ...terms })
const judge = (chain: readonly Issued[], domains = DOMAINS, nowMs = Date.now()) =>
  svidOf(chain.map(of), domains, nowMs, false)

describe('lets in', () => {
  test.each<[string, readonly Issued[], string]>([
    ['a workload', [svid()], ID],
    [
      'one that is listed by name',
      [svid({ uris: ['spiffe://example.org/ops'] })],
      'spiffe://example.org/ops',
    ],
    ['by an authority between', [svid({ by: intermediate }), intermediate], ID],
    ['with its root behind', [svid({ by: intermediate }), intermediate, authority], ID],
    ['with DNS names beside', [svid({ names: ['agent.tools.svc', '10.0.0.1'] })], ID],
    ['whatever its subject says', [svid({ commonName: 'spiffe://example.org/admin' })], ID],
    [
      'of another trust domain by its own authority',
      [svid({ uris: ['spiffe://other.org/x'], by: other })],
      'spiffe://other.org/x',
    ],
  ])('%s', (_name, chain, id) => {
    expect(judge(chain)).toMatchObject({ ok: true, value: { id } })
  })

  test('until the first of its chain ends', () => {
    const soon = anAuthority('intermediate', { by: authority, untilMs: 60_000 })
    const found = judge([svid({ by: soon }), soon])
    expect(found.ok && found.value.untilMs).toBeLessThan(Date.now() + 61_000)
  })

  test('by an authority between that its bundle names itself', () => {
    const domains = [{ name: 'example.org', ids: [ID], authorities: [of(intermediate)] }]
    expect(judge([svid({ by: intermediate })], domains).ok).toBe(true)
  })
})

const named = (...uris: string[]): readonly Issued[] => [svid({ uris })]
const used = (keyUsage: Readonly<Record<string, boolean>>): readonly Issued[] => [
  svid({ keyUsage }),
]
const below = (terms: Terms): readonly Issued[] => {
  const between = anAuthority('between', { by: authority, ...terms })
  return [svid({ by: between }), between]
}
const withExtension = (id: string, isCritical: boolean): readonly Issued[] => [
  svid({ extensions: [{ id, critical: isCritical, value: String.fromCharCode(0x30, 0) }] }),
]

const CHAIN = /no authority of its trust domain is seen/
const NAME = /no SPIFFE ID of a workload/

describe('lets nobody in', () => {
  test.each<[string, () => readonly Issued[], RegExp]>([
    ['without a certificate', () => [], /none was shown/],
    ['by a certificate of its own', () => [issue({ uris: [ID] })], CHAIN],
    ['by the authority of another trust domain', () => [svid({ by: other })], CHAIN],
    ['of another trust domain by our authority', () => named('spiffe://other.org/x'), CHAIN],
    ['by an authority of the same name', () => [svid({ by: stranger })], CHAIN],
    ['without the authority between', () => [svid({ by: intermediate })], CHAIN],
    ['in another order', () => [intermediate, svid({ by: intermediate })], /an authority's/],
    ['with another between', () => [svid({ by: intermediate }), svid(), intermediate], CHAIN],
    [
      'by a workload that signs',
      () => {
        const agent = svid()
        return [svid({ by: agent }), agent]
      },
      CHAIN,
    ],
    [
      'by an authority that may not sign',
      () => below({ keyUsage: { digitalSignature: true } }),
      CHAIN,
    ],
    ['by an authority that has expired', () => below({ fromMs: -2000, untilMs: -1000 }), CHAIN],
    ['by an authority that is not valid yet', () => below({ fromMs: 60_000 }), CHAIN],
    [
      'by more authorities than one allows',
      () => {
        const last = anAuthority('last', { by: authority, maxBelow: 0 })
        const more = anAuthority('more', { by: last })
        return [svid({ by: more }), more, last]
      },
      CHAIN,
    ],
    [
      'by an authority for some names alone',
      () =>
        below({
          extensions: [{ id: '2.5.29.30', critical: true, value: String.fromCharCode(0x30, 0) }],
        }),
      CHAIN,
    ],
    ['an authority', () => [anAuthority('x', { by: authority, uris: [ID] })], /an authority's/],
    [
      'that signs certificates',
      () => used({ digitalSignature: true, keyCertSign: true }),
      /keyUsage/,
    ],
    ['that signs revocations', () => used({ digitalSignature: true, cRLSign: true }), /keyUsage/],
    ['that may not sign', () => used({ keyEncipherment: true }), /lacks digitalSignature/],
    ['that demands what is not known', () => withExtension('1.2.3.4', true), /demand what/],
    ['that has expired', () => [svid({ fromMs: -2000, untilMs: -1000 })], CHAIN],
    ['that is not valid yet', () => [svid({ fromMs: 60_000 })], CHAIN],
    ['of two names', () => named(ID, 'spiffe://example.org/ops'), /several URIs/],
    ['of one name twice', () => named(ID, ID), /several URIs/],
    ['of another URI beside', () => named(ID, 'https://example.org'), /several URIs/],
    ['of no name', () => named(), NAME],
    ['of a DNS name that looks like one', () => [svid({ uris: [], names: [ID] })], NAME],
    ['of a subject that looks like one', () => [svid({ uris: [], commonName: ID })], NAME],
    ['of another scheme', () => named(ID.replace('spiffe:', 'https:')), NAME],
    ['of large letters', () => named(ID.replace('example', 'EXAMPLE')), NAME],
    ['of a scheme in large letters', () => named(ID.replace('spiffe', 'SPIFFE')), NAME],
    ['of a port', () => named(ID.replace('.org', '.org:443')), NAME],
    ['of a user', () => named(ID.replace('//', '//x@')), NAME],
    ['of a query', () => named(`${ID}?a`), NAME],
    ['of a fragment', () => named(`${ID}#a`), NAME],
    ['of a slash behind', () => named(`${ID}/`), NAME],
    ['of two slashes', () => named('spiffe://example.org//ns/tools/x'), NAME],
    ['of a way up', () => named('spiffe://example.org/ns/tools/../../admin'), NAME],
    ['of a way that is encoded', () => named('spiffe://example.org/ns/tools/%2e%2e'), NAME],
    ['of a line end', () => named(`${ID}\n`), NAME],
    ['of a star', () => named('spiffe://example.org/ns/tools/*'), NAME],
    ['of the trust domain alone', () => named('spiffe://example.org'), NAME],
    ['of a name without end', () => named(`${ID}/${'x'.repeat(2048)}`), NAME],
    [
      'of a name that is not listed',
      () => named('spiffe://example.org/ns/other/x'),
      /not among those that are listed/,
    ],
    [
      'of a name that only begins like one',
      () => named('spiffe://example.org/ns/toolsx/x'),
      /not among those/,
    ],
    [
      'above those that are listed',
      () => named('spiffe://example.org/ns/tools'),
      /not among those/,
    ],
    [
      'below one that is listed alone',
      () => named('spiffe://example.org/ops/x'),
      /not among those/,
    ],
    [
      'of a trust domain that nobody trusts',
      () => named('spiffe://evil.org/x'),
      /its trust domain is not/,
    ],
    [
      'of a longer trust domain',
      () => named('spiffe://example.org.evil/ns/tools/x'),
      /its trust domain/,
    ],
  ])('%s', (_name, chain, says) => {
    expect(judge(chain())).toEqual({ ok: false, error: expect.stringMatching(says) })
  })

  test('by an authority that has expired', () => {
    const found = judge([svid({ untilMs: 3 * 86_400_000 })], DOMAINS, Date.now() + 2 * 86_400_000)
    expect(found).toEqual({ ok: false, error: expect.stringMatching(CHAIN) })
  })
})

test('an extension that is not critical does no harm', () => {
  expect(judge(withExtension('1.2.3.4', false)).ok).toBe(true)
})

test.each([
  ['nothing', ''],
  ['a byte', '30'],
  ['a length that is longer than the rest', '3005020101'],
  ['a length without an end', '30800201010000'],
  ['a length of many bytes', '3085000000000102'],
  ['a body that is none', '30030c0141'],
])('of %s nothing is read', (_name, hex) => {
  expect(usesOf(Buffer.from(hex, 'hex'))).toBeUndefined()
})

test('of a certificate in which a byte is another, nothing is read or something else, without a fault', () => {
  const { raw } = of(svid())
  for (let at = 0; at < raw.length; at++) {
    for (const byte of [0, 0x7f, 0x80, 0xff]) {
      const bytes = Buffer.from(raw)
      bytes[at] = byte
      expect(() => usesOf(bytes)).not.toThrow()
      expect(() => usesOf(bytes.subarray(0, at))).not.toThrow()
    }
  }
})

describe('where its chain is not seen, OpenSSL is believed', () => {
  const leaf = of(svid({ by: intermediate }))
  const [first] = DOMAINS
  const one = first ? [first] : []

  test.each<[string, readonly TrustDomain[], isVouched: boolean, isGood: boolean]>([
    ['of one trust domain', one, true, true],
    [
      'of several of which one alone has authorities',
      [...DOMAINS.slice(0, 1), { name: 'other.org', ids: [], authorities: [] }],
      true,
      true,
    ],
    [
      'of another, where its own has none',
      DOMAINS.map((one) => (one.name === 'example.org' ? { ...one, authorities: [] } : one)),
      true,
      false,
    ],
    ['of none at all', DOMAINS.map((one) => ({ ...one, authorities: [] })), true, false],
    ['of several, which it does not tell apart', DOMAINS, true, false],
    ['never against its word', one, false, false],
  ])('%s', (_name, domains, isVouched, isGood) => {
    expect(svidOf([leaf], domains, Date.now(), isVouched).ok).toBe(isGood)
  })

  test('of nobody who is not listed, and never beyond its end', () => {
    const other = of(svid({ uris: ['spiffe://example.org/x'], by: intermediate }))
    expect(svidOf([other], one, Date.now(), true).ok).toBe(false)
    expect(svidOf([leaf], one, Date.now() + 2 * 86_400_000, true).ok).toBe(false)
  })
})
