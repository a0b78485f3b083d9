import { expect, test } from '@jest/globals'
import { createPrivateKey } from 'node:crypto'
import { readKeyPair } from '../../../shared/key-pair.ts'
import { aKey, anAuthority, issue } from '../../support/certificates.ts'

const DAY_MS = 86_400_000
const files = { certFile: 'tls.crt', keyFile: 'tls.key' }
const authority = anAuthority()
const good = issue({ commonName: 'tools', names: ['tools.example'], by: authority })
const late = issue({ commonName: 'tools', fromMs: -2 * DAY_MS, untilMs: -DAY_MS })
const early = issue({ commonName: 'tools', fromMs: DAY_MS, untilMs: 2 * DAY_MS })
const small = issue({ commonName: 'tools', key: aKey(512) })
const encrypted = createPrivateKey(good.key)
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
  .toString()
const read = (cert: string, key: string) => readKeyPair({ cert, key }, files, Date.now())

test.each([
  ['a certificate alone', good.cert],
  ['one with those that signed it', good.cert + authority.cert],
  ['one among words', `a certificate:\n${good.cert}\n# end\n`],
])('%s is shown', (_what, cert) => {
  expect(read(cert, good.key)).toMatchObject({ ok: true, value: { cert, subject: 'CN=tools' } })
})

test.each([
  [
    'nothing in either',
    '',
    '',
    [
      'the certificate tls.crt holds no certificate in PEM',
      'the key tls.key holds no private key in PEM',
    ],
  ],
  [
    'the key in the place of the certificate',
    good.key,
    good.key,
    ['the certificate tls.crt holds no certificate in PEM'],
  ],
  [
    'the certificate in the place of the key',
    good.cert,
    good.cert,
    ['the key tls.key holds no private key in PEM'],
  ],
  [
    'a certificate that is cut off',
    good.cert.slice(0, 400),
    good.key,
    ['the certificate tls.crt holds no certificate in PEM'],
  ],
  [
    'a certificate that is none',
    good.cert.replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA'),
    good.key,
    ['the certificate tls.crt its certificate number 1 cannot be read'],
  ],
  [
    'a chain without end',
    good.cert + authority.cert.repeat(16),
    good.key,
    ['the certificate tls.crt holds more than 16 of them'],
  ],
  [
    "another's key",
    good.cert,
    authority.key,
    [
      'the key tls.key does not belong to the certificate (CN=tools): the two must be written together',
    ],
  ],
  [
    'a chain that begins with its authority',
    authority.cert + good.cert,
    good.key,
    [
      "the key tls.key is another's than the first certificate's: the server's own comes first, then those that signed it",
    ],
  ],
  [
    'an encrypted key',
    good.cert,
    encrypted,
    ['the key tls.key is encrypted: write it without a passphrase'],
  ],
  [
    'one that has expired',
    late.cert,
    late.key,
    [expect.stringMatching(/^the certificate tls.crt has expired at .+ GMT: put a new one there$/)],
  ],
  [
    'one that is not valid yet',
    early.cert,
    early.key,
    [
      expect.stringMatching(
        /^the certificate tls.crt is not valid before .+ GMT: look at this machine's clock$/,
      ),
    ],
  ],
  [
    'one that has expired, with another key',
    late.cert,
    authority.key,
    [expect.stringMatching(/has expired/), expect.stringMatching(/does not belong/)],
  ],
  [
    'a key that is too short',
    small.cert,
    small.key,
    [
      'the certificate tls.crt with its key tls.key cannot be used by OpenSSL (ERR_SSL_EE_KEY_TOO_SMALL)',
    ],
  ],
])('%s is told', (_what, cert, key, error) => {
  expect(read(cert, key)).toEqual({ ok: false, error })
})
