// What is taken out of a text by its shape, and what stays.

import { expect, test } from '@jest/globals'
import { hasSecretShape, REMOVED, withoutSecrets } from '../../../../shared/audit/secrets.ts'

test.each([
  ['a JSON Web Token', 'x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl y', `x ${REMOVED} y`],
  ['a bearer', 'Authorization: Bearer abcdef0123456789', `Authorization: Bearer ${REMOVED}`],
  ['a token of a forge', `clone ghp_${'a'.repeat(36)}`, `clone ${REMOVED}`],
  ['a key of a cloud', 'AKIAABCDEFGHIJKLMNOP', REMOVED],
  ['a password in a file of settings', 'DB_PASSWORD=hunter2 next', `DB_PASSWORD=${REMOVED} next`],
  ['one in JSON', '{"api_key": "abc", "n": 1}', `{"api_key": ${REMOVED}, "n": 1}`],
  ['one in a URL', 'postgres://app:s3cret@db/x', `postgres://app:${REMOVED}@db/x`],
  ['a private key', '-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----', REMOVED],
  ['a card number', 'pay 4111 1111 1111 1111 now', `pay ${REMOVED} now`],
  ['a card number with a date behind it', '4111 1111 1111 1111 12/27', `${REMOVED} 12/27`],
  [
    'a card number behind another',
    '4111-1111-1111-1111 5500-0000-0000-0004',
    `${REMOVED} ${REMOVED}`,
  ],
  ['a password with a quote in it', '{"password":"a\\"b","n":1}', `{"password":${REMOVED},"n":1}`],
  ['a token without its end', 'x eyJhbGciOiJIUzI1NiJ9 y', `x ${REMOVED} y`],
  ['one secret in another', 'token: eyJhbGciOiJIUzI1NiJ9.e30.c2ln!x', `token: ${REMOVED}`],
  ['a number that is no card’s', 'order 4111111111111112', 'order 4111111111111112'],
  ['a time', '1767225600000', '1767225600000'],
  ['plain words', 'the token was refused', 'the token was refused'],
])('%s', (_what, text, clean) => {
  expect(withoutSecrets(text)).toBe(clean)
})

test.each([
  ['a JSON Web Token', 'x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl y', true],
  ['its beginning, which may be any JSON', 'eyJhbGciOiJIUzI1NiJ9', false],
  ['a token of a forge', `clone ghp_${'a'.repeat(36)}`, true],
  ['a key of a cloud', 'AKIAABCDEFGHIJKLMNOP', true],
  ['a private key', '-----BEGIN PRIVATE KEY-----', true],
  ['plain words', 'the token was refused', false],
])('%s by its form alone: %s', (_what, text, has) => {
  expect(hasSecretShape(text)).toBe(has)
  if (has) expect(withoutSecrets(text)).toContain(REMOVED)
})

test('a long text of somebody’s making takes no long time', () => {
  const texts = [
    'a',
    'token',
    '1 ',
    'eyJ',
    '-eyJ',
    'eyJ-',
    'Basic ',
    '-----BEGIN ',
    'a://b:',
    '"token":"\\',
  ].map((part) => part.repeat(1e5 / part.length))
  for (const text of texts) expect(withoutSecrets(text).length).toBeGreaterThan(0)
})
