// Which era a message belongs to: the body decides, the headers have to agree. One row a branch.

import { describe, expect, test } from '@jest/globals'
import { aMessage, aRequest } from '../../../support/messages.ts'
import {
  claimOf,
  isOddInitialize,
  readEnvelope,
  versionFault,
} from '../../../../sidecar/mcp/era.ts'
import { SUPPORTED } from '../../../../sidecar/mcp/revision.ts'

const MODERN = '2026-07-28'
const meta = (version = `"${MODERN}"`, capabilities = '{}'): string =>
  `"_meta":{"io.modelcontextprotocol/protocolVersion":${version},"io.modelcontextprotocol/clientCapabilities":${capabilities}}`
const call = (method: string, params = ''): string =>
  `{"jsonrpc":"2.0","id":1,"method":"${method}","params":{${params}}}`
const notification = (params = ''): string =>
  `{"jsonrpc":"2.0","method":"notifications/x","params":{${params}}}`
const RESULT = '{"jsonrpc":"2.0","id":1,"result":{}}'

type Headers = Readonly<Record<string, string>>
const version = (value: string): Headers => ({ 'mcp-protocol-version': value })
const mirrored = (method: string, name?: string): Headers => ({
  ...version(MODERN),
  'mcp-method': method,
  ...(name === undefined ? {} : { 'mcp-name': name }),
})
const base64 = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`

/** What becomes of a message before a server of both eras, in a session of the newest legacy revision. */
const outcome = (body: string, headers: Headers): string => {
  const message = aMessage(body)
  const headerOf = (name: string): string | undefined => headers[name]
  const claim = claimOf(message, headerOf)
  if (claim.era !== 'legacy') {
    const read = readEnvelope(message, claim, headerOf)
    return read.ok ? 'modern' : read.error.code
  }
  const isInitialize = message.kind === 'request' && message.method === 'initialize'
  const wrong = isInitialize ? undefined : versionFault(headerOf, '2025-11-25')
  return wrong?.code ?? 'legacy'
}

const tool = (name: string): string => call('tools/call', `"name":${name},${meta()}`)

const ROWS: readonly (readonly [string, string, Headers, string])[] = [
  ['a request that claims nothing', call('tools/list'), {}, 'legacy'],
  ['the same with a legacy header', call('tools/list'), version('2025-06-18'), 'legacy'],
  ['the oldest revision', call('tools/list'), version('2024-11-05'), 'legacy'],
  ['an unknown header version', call('tools/list'), version('1.0'), 'unsupported-version'],
  ['an empty header version', call('tools/list'), version(''), 'unsupported-version'],
  ['a date before all revisions', call('tools/list'), version('2023-01-01'), 'unsupported-version'],
  ['a modern header without a claim', call('tools/list'), version(MODERN), 'invalid-params'],
  [
    'a version of the future without a claim',
    call('tools/list'),
    version('2031-01-01'),
    'invalid-params',
  ],
  [
    'a claim in the parameters, not in _meta',
    call('a', '"io.modelcontextprotocol/protocolVersion":"2026-07-28"'),
    {},
    'legacy',
  ],
  ['a legacy notification', notification(), {}, 'legacy'],
  ['a response', RESULT, {}, 'legacy'],
  ['a response with a legacy header', RESULT, version('2025-11-25'), 'legacy'],
  ['a response with a modern header', RESULT, version(MODERN), 'invalid-request'],
  ['a notification with a modern header', notification(), version(MODERN), 'modern'],
  ['a notification that claims', notification(meta()), {}, 'modern'],
  [
    'a notification that claims without capabilities',
    notification('"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}'),
    {},
    'modern',
  ],
  [
    'a notification that claims what its header denies',
    notification(meta()),
    version('2025-11-25'),
    'header-mismatch',
  ],

  ['initialize', call('initialize'), {}, 'legacy'],
  ['initialize with a legacy header', call('initialize'), version('2025-11-25'), 'legacy'],
  ['initialize with a modern header', call('initialize'), version(MODERN), 'legacy'],
  ['initialize with an unknown header', call('initialize'), version('1.0'), 'legacy'],
  [
    'initialize that claims a legacy version',
    call('initialize', meta('"2025-11-25"')),
    {},
    'legacy',
  ],
  ['initialize whose claim is no string', call('initialize', meta('1')), {}, 'legacy'],
  [
    'initialize that claims the modern version',
    call('initialize', meta()),
    mirrored('initialize'),
    'modern',
  ],

  ['a whole modern request', call('tools/list', meta()), mirrored('tools/list'), 'modern'],
  [
    'a claim that is no string',
    call('tools/list', meta('7')),
    mirrored('tools/list'),
    'invalid-params',
  ],
  [
    'a claim with a lone surrogate',
    call('tools/list', meta('"\\ud800"')),
    mirrored('tools/list'),
    'invalid-params',
  ],
  [
    'no capabilities',
    call('tools/list', '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}'),
    mirrored('tools/list'),
    'invalid-params',
  ],
  [
    'capabilities that are no object',
    call('tools/list', meta(undefined, '[]')),
    mirrored('tools/list'),
    'invalid-params',
  ],
  [
    'a legacy version as claim',
    call('tools/list', meta('"2025-06-18"')),
    { ...version('2025-06-18'), 'mcp-method': 'tools/list' },
    'modern',
  ],
  [
    'no version header',
    call('tools/list', meta()),
    { 'mcp-method': 'tools/list' },
    'header-mismatch',
  ],
  [
    'another version header',
    call('tools/list', meta()),
    { ...mirrored('tools/list'), ...version('2025-11-25') },
    'header-mismatch',
  ],
  ['no method header', call('tools/list', meta()), version(MODERN), 'header-mismatch'],
  ['another method header', call('tools/list', meta()), mirrored('tools/call'), 'header-mismatch'],
  [
    'a method header in another case',
    call('tools/list', meta()),
    mirrored('Tools/List'),
    'header-mismatch',
  ],

  ['tools/call with its name', tool('"echo"'), mirrored('tools/call', 'echo'), 'modern'],
  ['its name escaped in the body', tool('"\\u0065cho"'), mirrored('tools/call', 'echo'), 'modern'],
  ['its name encoded in the header', tool('"é"'), mirrored('tools/call', base64('é')), 'modern'],
  ['no name header', tool('"echo"'), mirrored('tools/call'), 'header-mismatch'],
  ['another name header', tool('"echo"'), mirrored('tools/call', 'rm'), 'header-mismatch'],
  [
    'a name header in another case',
    tool('"echo"'),
    mirrored('tools/call', 'Echo'),
    'header-mismatch',
  ],
  ['a name header with raw bytes', tool('"é"'), mirrored('tools/call', 'Ã©'), 'header-mismatch'],
  [
    'a name header with bad base64',
    tool('"e"'),
    mirrored('tools/call', '=?base64?Z?='),
    'header-mismatch',
  ],
  ['a name that is no string', tool('5'), mirrored('tools/call', '5'), 'invalid-params'],
  [
    'a name with a lone surrogate',
    tool('"\\ud800"'),
    mirrored('tools/call', '\ufffd'),
    'invalid-params',
  ],
  ['no name at all', call('tools/call', meta()), mirrored('tools/call'), 'invalid-params'],
  [
    'prompts/get with its name',
    call('prompts/get', `"name":"p",${meta()}`),
    mirrored('prompts/get', 'p'),
    'modern',
  ],
  [
    'resources/read with its uri',
    call('resources/read', `"uri":"a://b",${meta()}`),
    mirrored('resources/read', 'a://b'),
    'modern',
  ],
  [
    'resources/read with its name instead',
    call('resources/read', `"uri":"a://b","name":"n",${meta()}`),
    mirrored('resources/read', 'n'),
    'header-mismatch',
  ],
  [
    'tasks/get with its task',
    call('tasks/get', `"taskId":"t",${meta()}`),
    mirrored('tasks/get', 't'),
    'modern',
  ],
  [
    'a name header where none belongs',
    call('tools/list', meta()),
    mirrored('tools/list', 'x'),
    'modern',
  ],
]

describe('classify', () => {
  test.each(ROWS)('%s', (_name, body, headers, expected) => {
    expect(outcome(body, headers)).toBe(expected)
  })

  test('an unsupported version is told which there are', () => {
    expect(versionFault(() => '1.0', '')).toMatchObject({
      data: { supported: SUPPORTED, requested: '1.0' },
    })
  })

  test.each([
    ['what its own server has said', '2024-10-07', undefined],
    ['what another has said', '1.0', 'unsupported-version'],
    ['a revision that its server does not have, and we know', '2025-03-26', undefined],
  ])('a session may name %s', (_name, named, code) => {
    expect(versionFault(() => named, '2024-10-07')?.code).toBe(code)
  })

  test.each([
    ['no claim', call('server/discover'), version(MODERN), 'unclaimed'],
    ['a claim without headers', call('server/discover', meta()), {}, 'modern'],
    ['a claim that is no string', call('server/discover', meta('1')), {}, 'modern'],
    ['initialize under a modern header', call('initialize'), version(MODERN), 'legacy'],
    ['a response under a modern header', RESULT, version(MODERN), 'unclaimed'],
    ['a response', RESULT, {}, 'legacy'],
  ] as const)('the era comes before the form: %s', (_name, body, headers: Headers, claim) => {
    expect(claimOf(aMessage(body), (name) => headers[name]).era).toBe(claim)
  })

  test.each([
    ['a tool', call('tools/call', `"name":"caf\u00e9",${meta()}`), base64('café'), 'café'],
    ['a resource', call('resources/read', `"uri":"file:///a",${meta()}`), 'file:///a', 'file:///a'],
    ['nothing', call('tools/list', `"name":"x",${meta()}`), undefined, undefined],
  ])('what a request is about is read once: %s', (_name, body, header, name) => {
    const message = aRequest(body)
    const headers = mirrored(message.method, header)
    const claim = claimOf(message, (one) => headers[one])
    const stated = { version: MODERN, name }
    expect(readEnvelope(message, claim, (one) => headers[one])).toEqual({ ok: true, value: stated })
  })

  test.each([
    ['an unknown version', '1.0', true],
    ['the modern version', MODERN, true],
    ['a legacy version', '2025-06-18', false],
    ['none', undefined, false],
  ])('initialize whose header says %s', (_name, said, isOdd) => {
    expect(isOddInitialize(aMessage(call('initialize')), () => said)).toBe(isOdd)
    expect(isOddInitialize(aMessage(call('ping')), () => said)).toBe(false)
  })
})
