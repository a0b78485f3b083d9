// What records hold of calls, by level and by the tool's own schema.

import { describe, expect, test } from '@jest/globals'
import { parsePath } from '../../../../../shared/json-path.ts'
import { Content } from '../../../../../sidecar/audit/content/content.ts'
import type { Response } from '../../../../../sidecar/mcp/message.ts'
import { aMessage, aRequest } from '../../../../support/messages.ts'

type Level = 'metadata' | 'request' | 'response'

const aContent = (level: Level) =>
  new Content({ level, keys: [], paths: [], key: Buffer.alloc(32) })

const call = (name: string, args: object) =>
  aRequest(
    JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name, arguments: args },
    }),
  )
const response = (result: object): Response => {
  const message = aMessage(JSON.stringify({ jsonrpc: '2.0', id: 1, result }))
  if (message.kind !== 'response') throw new Error('it is one')
  return message
}
const LIST = aRequest('{"jsonrpc":"2.0","id":1,"method":"tools/list"}')
const learn = (content: Content, ...tools: readonly object[]) =>
  content.answered(LIST, response({ tools }))
const brief = (text: string | undefined): string | undefined =>
  text?.replaceAll(/: (\d+) bytes, hmac [\w-]{22}\]/g, ' $1]')

const asked = (content: Content, args: object): string | undefined =>
  brief(content.asked(call('t', args)).params)

const secret = { type: 'string', writeOnly: true }

test.each<[Level, object, object]>([
  ['metadata', {}, {}],
  ['request', { params: '{"name":"t","arguments":{"q":"x"}}' }, {}],
  ['response', { params: '{"name":"t","arguments":{"q":"x"}}' }, { result: '{"content":[]}' }],
])('%s', (level, params, result) => {
  const content = aContent(level)
  learn(content, { name: 't', inputSchema: { type: 'object' } })
  const own = call('t', { q: 'x' })
  expect([content.asked(own), content.answered(own, response({ content: [] }))]).toEqual([
    params,
    result,
  ])
})

test('of a tool that no list has named, arguments and structured results are secrets', () => {
  const content = aContent('response')
  const own = call('t', { q: 'x' })
  expect(brief(content.asked(own).params)).toBe('{"name":"t","arguments":"[redacted 9]"}')
  const { result } = content.answered(own, response({ content: [], structuredContent: { a: 1 } }))
  expect(brief(result)).toBe('{"content":[],"structuredContent":"[redacted 7]"}')
})

describe('what the tool’s own schema calls a secret is left out', () => {
  test.each<[string, object, object, object | string]>([
    [
      'a password',
      { properties: { a: { format: 'password' } } },
      { a: 'x', b: 'y' },
      { a: '[redacted 1]', b: 'y' },
    ],
    ['what is written only', { properties: { a: secret } }, { a: 'x' }, { a: '[redacted 1]' }],
    [
      'in items',
      { properties: { a: { items: { properties: { b: secret } } } } },
      { a: [{ b: 'x' }] },
      { a: [{ b: '[redacted 1]' }] },
    ],
    ['in further members', { additionalProperties: secret }, { z: 'x' }, { z: '[redacted 1]' }],
    [
      'in one of several',
      { anyOf: [{}, { properties: { a: secret } }] },
      { a: 'x' },
      { a: '[redacted 1]' },
    ],
    [
      'behind a reference',
      { properties: { a: { $ref: '#/$defs/s' } }, $defs: { s: secret } },
      { a: 'x' },
      { a: '[redacted 1]' },
    ],
    [
      'in a schema that leads elsewhere: everything',
      { properties: { a: { $ref: 'https://x.example/s' } } },
      { a: 'x' },
      '[redacted 9]',
    ],
    [
      'in one that leads nowhere: everything',
      { properties: { a: { $ref: '#/$defs/no' }, b: secret } },
      { a: 'x' },
      '[redacted 9]',
    ],
    [
      'behind a reference that is too long: everything',
      {
        properties: { a: { $ref: `#/$defs/${'n'.repeat(2000)}` }, b: secret },
        $defs: { ['n'.repeat(2000)]: {} },
      },
      { a: 'x' },
      '[redacted 9]',
    ],
    [
      'in one without an end: everything',
      { properties: { a: { $ref: '#' }, b: secret } },
      { a: 'x' },
      '[redacted 9]',
    ],
    [
      'in no other',
      { properties: { a: { type: 'string' }, b: true } },
      { a: 'x', b: 'y' },
      { a: 'x', b: 'y' },
    ],
  ])('%s', (_what, inputSchema, args, shown) => {
    const content = aContent('request')
    learn(content, { name: 't', inputSchema })
    expect(JSON.parse(asked(content, args) ?? '')).toEqual({ name: 't', arguments: shown })
  })

  test('also of a tool that has been listed otherwise before or since', () => {
    const content = aContent('request')
    learn(content, { name: 't', inputSchema: { properties: { a: secret } } })
    learn(content, { name: 't', inputSchema: {} })
    expect(asked(content, { a: 'x' })).toContain('[redacted 1]')
    for (let form = 0; form < 10; form++)
      learn(content, { name: 't', inputSchema: { title: `${form}` } })
    expect(asked(content, { b: 'x' })).toBe('{"name":"t","arguments":"[redacted 9]"}')
  })

  test('of results by the schema of results', () => {
    const content = aContent('response')
    learn(content, { name: 't', inputSchema: {}, outputSchema: { properties: { a: secret } } })
    const { result } = content.answered(call('t', {}), response({ structuredContent: { a: 'x' } }))
    expect(brief(result)).toBe('{"structuredContent":{"a":"[redacted 1]"}}')
  })
})

describe('what is a secret in one copy is none in another', () => {
  const results = (tool: object, result: object, paths: readonly string[] = []): string => {
    const content = new Content({
      level: 'response',
      keys: [],
      paths: paths.map((path) => {
        const read = parsePath(path)
        if (!read.ok) throw new Error(read.error)
        return read.value
      }),
      key: Buffer.alloc(32),
    })
    learn(content, { inputSchema: {}, ...tool })
    return brief(content.answered(call('t', {}), response(result)).result) ?? ''
  }
  const text = (value: string) => ({ content: [{ type: 'text', text: value }] })
  const embedded = (own: object) => ({
    content: [{ type: 'resource', resource: { uri: 'x:y', ...own } }],
  })
  const secretly = { name: 't', outputSchema: { properties: { a: secret } } }
  const openly = { name: 't', outputSchema: { properties: { a: {} } } }

  test.each<[string, string]>([
    ['by the schema', results(secretly, { ...text('{"a":"s3"}'), structuredContent: { a: 's3' } })],
    ['by the schema, as prose', results(secretly, text('a is s3'))],
    [
      'of an unknown tool',
      results({ name: 'u' }, { ...text('a is s3'), structuredContent: { a: 's3' } }),
    ],
    [
      'by its name, as prose',
      results(openly, { ...text('it is s3'), structuredContent: { pin: 's3' } }),
    ],
    ['by the schema, in a resource', results(secretly, embedded({ text: 'a is s3' }))],
    ['by the schema, in a file', results(secretly, embedded({ blob: 'czM=s3' }))],
    [
      'by its name, in a resource',
      results(openly, { ...embedded({ text: 'it is s3' }), structuredContent: { pin: 's3' } }),
    ],
    [
      'by a path, in the lines of a resource',
      results(openly, embedded({ text: '{"a":"s3"}\n{"a":1}' }), ['$.result.structuredContent.a']),
    ],
    ['by its name, as JSON alone', results(openly, text(' {"pin": "s3"}'))],
    ['by a path', results(openly, text('[{"a":"s3"}]'), ['$.result.structuredContent[*].a'])],
  ])('%s', (_what, shown) => {
    expect(shown).not.toContain('s3')
    expect(shown).toContain('[redacted ')
  })

  test('what is no secret stays in both', () => {
    const shown = results(openly, { ...text('{"a":"s3"}'), structuredContent: { a: 's3' } })
    expect(shown).toBe(
      '{"content":[{"type":"text","text":"{\\"a\\":\\"s3\\"}"}],"structuredContent":{"a":"s3"}}',
    )
  })

  test('arguments that are JSON in a text', () => {
    const content = aContent('request')
    learn(content, { name: 't', inputSchema: { properties: { a: secret, b: {} } } })
    const asText = aRequest(
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":"{\\"a\\":\\"s3\\"}"}}',
    )
    expect(brief(content.asked(asText).params)).not.toContain('s3')
    expect(asked(content, { b: '{"password":"s3"}' })).not.toContain('s3')
  })

  test.each(['"name":"password","value":"s3"', '"value":"s3","name":"password"'])(
    'a value that is completed: %s',
    (argument) => {
      const own = aRequest(
        `{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"argument":{${argument}}}}`,
      )
      expect(brief(aContent('request').asked(own).params)).toContain('"value":"[redacted 2]"')
    },
  )
})
