import { expect, test } from '@jest/globals'
import { filterCapabilities } from '../../../../sidecar/policy/capabilities.ts'

const seen = (result: string, kinds: readonly string[]): string => {
  const answer = `{"jsonrpc":"2.0","id":1,"result":${result}}`
  const filtered = filterCapabilities('server/discover', answer, (kind) => kinds.includes(kind))
  if (!filtered.ok) return filtered.error
  return filtered.value.slice('{"jsonrpc":"2.0","id":1,"result":'.length, -1)
}

const ALL =
  '{"capabilities":{ "tools" : {"listChanged":true},"prompts":{},"resources":{},"completions":{},"logging":{},"x":1}}'

const latin1 = (text: string): string => Buffer.from(text).toString('latin1')

test.each([
  [
    'a name that is not ASCII as it is written',
    latin1('{"capabilities":{"tools":{},"größe €":"ü"}}'),
    [],
    latin1('{"capabilities":{"größe €":"ü"}}'),
  ],
  ['all, byte for byte', ALL, ['tools', 'prompts', 'resources'], ALL],
  [
    'tools alone',
    ALL,
    ['tools'],
    '{"capabilities":{"tools":{"listChanged":true},"logging":{},"x":1}}',
  ],
  [
    'what completes prompts',
    ALL,
    ['prompts'],
    '{"capabilities":{"prompts":{},"completions":{},"logging":{},"x":1}}',
  ],
  ['nothing', ALL, [], '{"capabilities":{"logging":{},"x":1}}'],
  ['an answer without any', '{"a":1}', [], '{"a":1}'],
  [
    'what no cache may give to others',
    '{"cacheScope":"public","capabilities":{}}',
    [],
    '{"cacheScope":"private","capabilities":{}}',
  ],
  [
    'no list',
    '{"capabilities":[]}',
    [],
    "the server's answer to server/discover cannot be used: its capabilities are no object, and a tool policy has to tell what it holds",
  ],
])('a caller sees %s', (_what, result, kinds, expected) => {
  expect(seen(result, kinds)).toBe(expected)
})
