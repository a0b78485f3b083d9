// What a trust domain's bundle is read as: certificates in PEM, or SPIFFE's set of keys in JSON.

import { describe, expect, test } from '@jest/globals'
import { X509Certificate } from 'node:crypto'
import { readBundle } from '../../../shared/spiffe-bundle.ts'
import { anAuthority, issue } from '../../support/certificates.ts'

const derOf = (pem: string): string => new X509Certificate(pem).raw.toString('base64')

const authority = anAuthority('example.org')
const AUTHORITY = { use: 'x509-svid', kty: 'RSA', n: 'x', e: 'AQAB', x5c: [derOf(authority.cert)] }
const KEY = { use: 'jwt-svid', kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'one' }

const document = (keys: unknown, more: object = {}): string => JSON.stringify({ keys, ...more })

test('certificates in PEM are authorities, and no keys', () => {
  const text = authority.cert
  expect(readBundle(text)).toEqual({ ok: true, value: { authorities: text, jwtKeys: [] } })
})

test.each<[string, string, object]>([
  [
    'both kinds, with what it says of itself',
    document([AUTHORITY, KEY], { spiffe_sequence: 7, spiffe_refresh_hint: 60 }),
    { authorities: authority.cert, jwtKeys: [KEY], sequence: 7, refreshSeconds: 60 },
  ],
  ['no keys at all: nobody is believed', document([]), { authorities: '', jwtKeys: [] }],
  ['authorities alone', document([AUTHORITY]), { authorities: authority.cert, jwtKeys: [] }],
  [
    'keys of uses that nobody here knows, which count for nothing',
    document([
      { use: 'wit-svid', kid: 7 },
      { ...KEY, use: 'sig' },
      { ...KEY, use: undefined },
      'x',
    ]),
    { authorities: '', jwtKeys: [] },
  ],
  ['a key without what is private of it', document([{ ...KEY, d: 'secret' }]), { jwtKeys: [KEY] }],
])('a bundle of %s is read', (_name, text, expected) => {
  expect(readBundle(text)).toMatchObject({ ok: true, value: expected })
})

describe('no bundle is', () => {
  test.each<[string, string, string]>([
    ['nothing', '', 'PEM'],
    ['a word', 'x', 'PEM'],
    ['half a document', '{"keys":[', 'PEM'],
    ['a list', '[]', 'PEM'],
    ['PEM with a key', authority.cert + authority.key, 'PEM'],
    ['a document without keys', '{}', 'no keys'],
    ['keys that are no list', document({}), 'no keys'],
    ['an authority without a certificate', document([{ ...AUTHORITY, x5c: [] }]), 'x5c'],
    [
      'an authority with two',
      document([{ ...AUTHORITY, x5c: [...AUTHORITY.x5c, ...AUTHORITY.x5c] }]),
      'x5c',
    ],
    [
      'a certificate of no authority',
      document([{ ...AUTHORITY, x5c: [derOf(issue({ names: ['x'] }).cert)] }]),
      'x5c',
    ],
    ['a certificate in PEM', document([{ ...AUTHORITY, x5c: [authority.cert] }]), 'x5c'],
    ['a certificate that is none', document([{ ...AUTHORITY, x5c: ['AAAA'] }]), 'x5c'],
    ['a key without a name', document([{ ...KEY, kid: undefined }]), 'jwt-svid'],
    ['a key of an empty name', document([{ ...KEY, kid: '' }]), 'jwt-svid'],
    ['a key whose name is none', document([{ ...KEY, kid: 7 }]), 'jwt-svid'],
    ['one right key and one that is none', document([KEY, { ...KEY, x: 7 }]), 'jwt-svid'],
    [
      'more keys than anybody needs',
      document(Array.from({ length: 65 }, (_, kid) => ({ ...KEY, kid: String(kid) }))),
      'more than 64',
    ],
    ['a sequence that is none', document([KEY], { spiffe_sequence: '7' }), 'spiffe_sequence'],
    ['a sequence below nought', document([KEY], { spiffe_sequence: -1 }), 'spiffe_sequence'],
    ['a hint that is none', document([KEY], { spiffe_refresh_hint: 0.5 }), 'spiffe_refresh_hint'],
  ])('%s', (_name, text, says) => {
    expect(readBundle(text)).toEqual({ ok: false, error: expect.stringContaining(says) })
  })
})
