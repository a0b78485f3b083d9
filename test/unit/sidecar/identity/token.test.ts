// What a token says of itself before anybody believes it, and what two readers could understand differently.

import { expect, test } from '@jest/globals'
import { readToken, typeFault } from '../../../../sidecar/identity/token.ts'
import { encoded } from '../../../support/raw-token.ts'

const HEADER = { alg: 'ES256', kid: 'one', typ: 'at+jwt' }
const CLAIMS = { iss: 'https://idp' }
const SIGNATURE = 'AAAA'

const token = (header: unknown = HEADER, claims: unknown = CLAIMS, signature = SIGNATURE): string =>
  [encoded(header), encoded(claims), signature].join('.')

test.each<[string, string, object]>([
  ['an access token', token(), { alg: 'ES256', kid: 'one', issuer: 'https://idp' }],
  ['its type in full', token({ ...HEADER, typ: 'application/AT+JWT' }), { kid: 'one' }],
  ['no type, no kid', token({ alg: 'RS256' }), { alg: 'RS256', kid: undefined }],
  ['an empty kid', token({ ...HEADER, kid: '' }), { kid: '' }],
  ['an issuer that is a list', token(HEADER, { iss: ['x'] }), { issuer: undefined }],
  ['no claims', token(HEADER, {}), { issuer: undefined, subject: undefined }],
  ['a subject', token(HEADER, { sub: 'ada' }), { subject: 'ada' }],
  ['an issuer in UTF-8', token(HEADER, { iss: 'https://ü' }), { issuer: 'https://ü' }],
])('%s is read', (_name, text, expected) => {
  expect(readToken(text)).toMatchObject({ ok: true, value: expected })
})

/** The same bytes in another spelling: the last character's unused bits. */
const otherSpelling = (part: string): string => `${part.slice(0, -1)}B`

test.each<[string, string, string]>([
  ['nothing', '', 'no signed JWT'],
  ['two parts', 'a.b', 'no signed JWT'],
  ['four parts', 'a.b.c.d', 'no signed JWT'],
  ['five parts', 'a.b.c.d.e', 'no signed JWT'],
  ['an empty part', `${encoded(HEADER)}..${SIGNATURE}`, 'no signed JWT'],
  ['no signature', `${encoded(HEADER)}.${encoded(CLAIMS)}.`, 'no signed JWT'],
  ['padding', `${encoded(HEADER)}=.${encoded(CLAIMS)}.${SIGNATURE}`, 'no signed JWT'],
  ['base64 of the other alphabet', token().replace('.', '+.'), 'no signed JWT'],
  ['a line end', `${token()}\n`, 'no signed JWT'],
  ['too many characters', `a.${'b'.repeat(12_288)}.c`, 'longer than 12288'],
  ['a signature in another spelling', token(HEADER, CLAIMS, 'AB'), 'not spelt as base64url'],
  ['a header in another spelling', token().replace(/^[^.]*/, otherSpelling), 'reads alike'],
  ['a list for a header', token([]), 'reads alike'],
  ['a text for claims', token(HEADER, '"x"'), 'reads alike'],
  ['a mark before the header', token(`\ufeff${JSON.stringify(HEADER)}`), 'reads alike'],
  ['something behind the header', token(`${JSON.stringify(HEADER)}{}`), 'reads alike'],
  ['alg twice', token('{"alg":"none","alg":"ES256"}'), 'reads alike'],
  ['alg twice, hidden', token(String.raw`{"\u0061lg":"none","alg":"ES256"}`), 'reads alike'],
  ['iss twice', token(HEADER, '{"iss":"a","iss":"b"}'), 'reads alike'],
  ['aud twice within', token(HEADER, '{"iss":"a","act":{"sub":"a","sub":"b"}}'), 'reads alike'],
  ['half a character', token(HEADER, String.raw`{"iss":"a","\ud800":1}`), 'reads alike'],
  [
    'no UTF-8',
    `${encoded(HEADER)}.${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.AAAA`,
    'reads alike',
  ],
  ['too deep', token(HEADER, `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`), 'reads alike'],
  ['NaN', token(HEADER, '{"iss":"a","exp":NaN}'), 'reads alike'],
  ['alg none', token({ ...HEADER, alg: 'none' }), 'algorithm'],
  ['alg of every object', token({ ...HEADER, alg: 'constructor' }), 'algorithm'],
  ['alg in small letters', token({ ...HEADER, alg: 'es256' }), 'algorithm'],
  ['a shared secret', token({ ...HEADER, alg: 'HS256' }), 'algorithm'],
  ['no alg', token({ kid: 'one' }), 'algorithm'],
  ['a kid that is no text', token({ ...HEADER, kid: null }), 'kid'],
  ['a kid without end', token({ ...HEADER, kid: 'k'.repeat(257) }), 'kid'],
  ['a key of its own', token({ ...HEADER, jwk: {} }), 'bears jwk'],
  ['a demand of its own', token({ ...HEADER, crit: [] }), 'bears crit'],
])('%s is refused', (_name, text, says) => {
  expect(readToken(text)).toEqual({ ok: false, error: expect.stringContaining(says) })
})

test.each<[string, unknown, boolean]>([
  ['none', undefined, true],
  ["an access token's", 'at+jwt', true],
  ["a JWT's, in any letters", 'jwt', true],
  ['no text', 7, false],
  ['null', null, false],
  ['of something else', 'dpop+jwt', false],
  ["a JWT-SVID's other one", 'JOSE', false],
])('a type that is %s', (_name, typ, isRight) => {
  const read = readToken(token({ ...HEADER, typ }))
  expect(read.ok && typeFault(read.value) === undefined).toBe(isRight)
})
