// What a modern client is told of a legacy answer, byte for byte.

import { describe, expect, test } from '@jest/globals'
import { modernAnswer } from '../../../../sidecar/translation/modern-answer.ts'
import { aMessage } from '../../../support/messages.ts'

const INFO = '{"name":"s","version":"1"}'
const META = `"io.modelcontextprotocol/serverInfo":${INFO}`

const answered = (method: string, member: string, info: string | undefined = INFO) => {
  const message = aMessage(`{"jsonrpc":"2.0","id":101,${member}}`)
  if (message.kind !== 'response') throw new Error('no response')
  return modernAnswer(method, message, '"mine"', info)
}
const textOf = (method: string, member: string, info?: string): string =>
  Buffer.from(answered(method, member, info).text, 'latin1').toString()

describe('a result', () => {
  test.each<[string, string, string, string]>([
    ['of a call', 'tools/call', '{}', `{"resultType":"complete","_meta":{${META}}}`],
    [
      'with _meta of its own',
      'tools/call',
      '{"content":[],"_meta":{"a":1}}',
      `{"resultType":"complete","content":[],"_meta":{${META},"a":1}}`,
    ],
    [
      'with an empty _meta',
      'tools/call',
      '{"_meta":{}}',
      `{"resultType":"complete","_meta":{${META}}}`,
    ],
    [
      'that claims to be of another type, and of another server',
      'tools/call',
      '{"resultType":"input_required","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"other"}}}',
      `{"resultType":"complete","_meta":{${META}}}`,
    ],
    [
      'of a list',
      'tools/list',
      '{"tools":[]}',
      `{"resultType":"complete","ttlMs":0,"cacheScope":"private","_meta":{${META}},"tools":[]}`,
    ],
    [
      'of a list that says how long it may be kept',
      'resources/read',
      '{"ttlMs":60000,"cacheScope":"public","contents":[]}',
      `{"resultType":"complete","_meta":{${META}},"ttlMs":0,"cacheScope":"private","contents":[]}`,
    ],
    [
      'with numbers and characters as they are',
      'tools/call',
      '{"structuredContent":{"n":9007199254740993,"ä":"ö"}}',
      `{"resultType":"complete","_meta":{${META}},"structuredContent":{"n":9007199254740993,"ä":"ö"}}`,
    ],
  ])('%s', (_name, method, result, modern) => {
    expect(textOf(method, `"result":${result}`)).toBe(
      `{"jsonrpc":"2.0","id":"mine","result":${modern}}`,
    )
  })

  test('of a server that has not said who it is', () => {
    const message = aMessage('{"jsonrpc":"2.0","id":101,"result":{"a":1}}')
    if (message.kind !== 'response') throw new Error('no response')
    expect(modernAnswer('tools/call', message, '1', undefined).text).toBe(
      '{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","a":1}}',
    )
  })
})

describe('an error', () => {
  test.each([
    ['invalid parameters', -32_602, -32_602],
    ['an unknown method', -32_601, -32_601],
    ['one of its own', -32_000, -32_000],
    ['an unknown resource', -32_002, -32_602],
    ['a URL to be visited', -32_042, -32_603],
    ['headers that disagree, of which it sees none', -32_020, -32_603],
    ['a missing capability, of an era that it does not know', -32_021, -32_603],
    ['a version, of an era that it does not know', -32_022, -32_603],
    ['the same in another spelling', '-32021.0', -32_603],
    ['the same in a third', '-3.2021e4', -32_603],
  ])('%s: %s is %d', (_name, code, modern) => {
    const { text, response } = answered(
      'tools/call',
      `"error":{"code":${code},"message":"no","data":{"a":1}}`,
    )
    const told = `{"jsonrpc":"2.0","id":"mine","error":{"code":${modern},"message":"no","data":{"a":1}}}`
    expect(text).toBe(told)
    expect(response.text).toBe(told)
  })
})
