import { describe, expect, test } from '@jest/globals'
import { parseChallenge } from '../../../../webhook/images/challenge.ts'

const bearer = (realm: string, service?: string) => ({ scheme: 'bearer', realm, service })
const basic = { scheme: 'basic' }

describe('WWW-Authenticate', () => {
  test.each([
    ['Bearer realm="https://a/t",service="s",scope="x"', bearer('https://a/t', 's')],
    ['bearer Realm="https://a/t"', bearer('https://a/t')],
    ['Bearer realm=https://a/t,service=s', bearer('https://a/t', 's')],
    ['Bearer  realm = "https://a/t" , service = "s"', bearer('https://a/t', 's')],
    ['Bearer service="a, realm=b",realm="https://a/t"', bearer('https://a/t', 'a, realm=b')],
    [String.raw`Bearer realm="a\"b"`, bearer('a"b')],
    ['Bearer realm="https://a/t",realm="https://evil/t"', bearer('https://a/t')],
    ['Basic realm="x"', basic],
    ['Basic', basic],
    ['BASIC realm="x", Bearer realm="https://a/t"', bearer('https://a/t')],
    ['Negotiate, Basic realm="x"', basic],
    ['Bearer service="s"', undefined],
    ['Negotiate abc=', undefined],
    ['', undefined],
    ['"', undefined],
    [`Bearer realm="${'a'.repeat(10_000)}"`, undefined],
  ])('%s', (header, challenge) => {
    expect(parseChallenge(header)).toEqual(challenge)
  })
})
