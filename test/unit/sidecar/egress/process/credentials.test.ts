// Whose a credential is, and what a child's environment says of its own.

import { beforeEach, describe, expect, test } from '@jest/globals'
import { Credentials } from '../../../../../sidecar/egress/process/credentials.ts'
import { environmentOf } from '../../../../../sidecar/egress/process/environment.ts'

const SECRET = 'a'.repeat(32)
const OTHER = 'b'.repeat(32)

let credentials: Credentials<string>

beforeEach(() => {
  credentials = new Credentials()
  credentials.issue(3, SECRET, 'third')
  credentials.issue(12, OTHER, 'twelfth')
})

test.each([
  ['its own', '3', SECRET, 'third'],
  ["another's secret", '3', OTHER, undefined],
  ["another's name", '12', SECRET, undefined],
  ['a name that only means the same', '03', SECRET, undefined],
  ['a name that nobody has', '4', SECRET, undefined],
  ['no name', '', SECRET, undefined],
  ['no secret', '3', '', undefined],
  ['a part of it', '3', SECRET.slice(1), undefined],
  ['more than it', '3', `${SECRET}a`, undefined],
  ['as many letters in more bytes', '3', `${'é'.repeat(16)}${'a'.repeat(16)}`, undefined],
])('%s', (_what, name, secret, expected) => {
  expect(credentials.whose({ name, secret })).toBe(expected)
})

test('is nobody any more when it has been taken away, or given anew', () => {
  credentials.revoke(3)
  credentials.issue(12, SECRET, 'new')
  expect(credentials.whose({ name: '3', secret: SECRET })).toBeUndefined()
  expect(credentials.whose({ name: '12', secret: OTHER })).toBeUndefined()
  expect(credentials.whose({ name: '12', secret: SECRET })).toBe('new')
})

describe('the environment', () => {
  const URL = `http://3:${SECRET}@127.0.0.1:15202`

  test('names the proxy in all the spellings that programs read', () => {
    expect(environmentOf({ child: 3, secret: SECRET, port: 15_202 })).toEqual({
      HTTP_PROXY: URL,
      http_proxy: URL,
      HTTPS_PROXY: URL,
      https_proxy: URL,
      ALL_PROXY: URL,
      all_proxy: URL,
      NO_PROXY: 'localhost,127.0.0.1,::1',
      no_proxy: 'localhost,127.0.0.1,::1',
      NODE_USE_ENV_PROXY: '1',
    })
  })

  test('tells Java, and whoever asks, of a port that wants no credential, where there is one', () => {
    const { JDK_JAVA_OPTIONS = '', OUTRIGGER_PROXY } = environmentOf({
      child: 3,
      secret: SECRET,
      port: 15_202,
      ownPort: 40_001,
    })
    expect(JDK_JAVA_OPTIONS.split(' ')).toEqual([
      '-Dhttp.proxyHost=127.0.0.1',
      '-Dhttp.proxyPort=40001',
      '-Dhttps.proxyHost=127.0.0.1',
      '-Dhttps.proxyPort=40001',
      '-Dhttp.nonProxyHosts=localhost|127.*|[::1]',
    ])
    expect(JDK_JAVA_OPTIONS).not.toContain(SECRET)
    expect(OUTRIGGER_PROXY).toBe('http://127.0.0.1:40001')
  })
})
