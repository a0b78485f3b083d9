// What a configuration takes for authorities.

import { expect, test } from '@jest/globals'
import { areAuthorities } from '../../../shared/authorities.ts'
import { issue } from '../../support/certificates.ts'

const authority = issue({ commonName: 'authority', isAuthority: true })
const leaf = issue({ commonName: 'leaf', by: authority })

test.each([
  ['one', authority.cert, true],
  ['two, with words between', `# ours\n${authority.cert}\n# theirs\n${authority.cert}`, true],
  ['none', '', false],
  ['words', 'an authority', false],
  ['a key', authority.key, false],
  ['one with its key', `${authority.cert}${authority.key}`, false],
  ['a certificate of no authority', leaf.cert, false],
  ['one that breaks off', authority.cert.slice(0, 300), false],
  ['one and one that breaks off', `${authority.cert}${authority.cert.slice(0, 300)}`, false],
  ['a block of nothing', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', false],
  ['too many', authority.cert.repeat(65), false],
])('%s: %j', (_name, text, expected) => {
  expect(areAuthorities(text)).toBe(expected)
})
