import { describe, expect, test } from '@jest/globals'
import type { Target } from '../../../../shared/policy/rules.ts'
import { filterListing } from '../../../../sidecar/policy/listing.ts'

const ALLOWED = new Set(['a', 'c', 'file:///a', 'file:///*'])
const mayUse = ({ name }: Target): boolean => ALLOWED.has(name)

const listed = (method: string, result: string): string => {
  const answer = `{"jsonrpc":"2.0","id":1,"result":${result}}`
  const filtered = filterListing(method, answer, mayUse)
  if (!filtered.ok) return filtered.error
  return filtered.value.slice('{"jsonrpc":"2.0","id":1,"result":'.length, -1)
}

describe('a list', () => {
  test.each([
    [
      'is the same byte for byte',
      'tools/list',
      '{ "tools" : [ {"name":"a","n":9007199254740993} , {"name":"c"} ] }',
    ],
    ['may be empty', 'tools/list', '{"tools":[]}'],
    ['that is none is left alone', 'tools/list', '{"other":1}'],
    ['of another method is left alone', 'tools/call', '{"tools":[{"name":"b"}]}'],
    ['already private', 'tools/list', '{"tools":[{"name":"a"}],"cacheScope":"private"}'],
  ])('%s where nothing is hidden', (_what, method, result) => {
    expect(listed(method, result)).toBe(result)
  })

  test.each([
    [
      'tools',
      'tools/list',
      '{"tools":[{"name":"a"}, {"name":"b"},{"name":"c" }],"nextCursor":"x"}',
      '{"tools":[{"name":"a"},{"name":"c" }],"nextCursor":"x"}',
    ],
    [
      'prompts',
      'prompts/list',
      '{"prompts":[{"name":"b"},{"name":"a"}]}',
      '{"prompts":[{"name":"a"}]}',
    ],
    [
      'resources',
      'resources/list',
      '{"resources":[{"uri":"file:///b","name":"a"},{"uri":"file:///a"}]}',
      '{"resources":[{"uri":"file:///a"}]}',
    ],
    [
      'templates',
      'resources/templates/list',
      '{"resourceTemplates":[{"uriTemplate":"file:///{x}"},{"uriTemplate":"t:{x}"}]}',
      '{"resourceTemplates":[{"uriTemplate":"file:///{x}"}]}',
    ],
    ['all', 'tools/list', '{"tools":[{"name":"b"}]}', '{"tools":[]}'],
    [
      'an escaped name',
      'tools/list',
      '{"tools":[{"name":"\\u0062"},{"name":"\\u0061"}]}',
      '{"tools":[{"name":"\\u0061"}]}',
    ],
    [
      'what has no name',
      'tools/list',
      '{"tools":[{"title":"a"},{"name":1},"a",null,["a"]]}',
      '{"tools":[]}',
    ],
    [
      'what has two',
      'tools/list',
      '{"tools":[{"name":"b","name":"a"}]}',
      /^the server's answer to tools\/list cannot be used: .*twice/,
    ],
    [
      'what caches would give to others',
      'tools/list',
      '{"cacheScope":"public","tools":[{"name":"a"}]}',
      '{"cacheScope":"private","tools":[{"name":"a"}]}',
    ],
  ])('leaves out %s', (_what, method, result, expected) => {
    expect(listed(method, result)).toEqual(
      typeof expected === 'string' ? expected : expect.stringMatching(expected),
    )
  })

  test.each([
    ['two lists', '{"tools":[],"tools":[{"name":"b"}]}'],
    ['something that is no list', '{"tools":{"name":"a"}}'],
    ['too many items', `{"tools":[${'1,'.repeat(5000)}1]}`],
  ])('with %s is no answer', (_what, result) => {
    expect(listed('tools/list', result)).toMatch(
      /^the server's answer to tools\/list cannot be used/,
    )
  })

  test('an error is left alone', () => {
    const answer = '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}'
    expect(filterListing('tools/list', answer, mayUse)).toEqual({ ok: true, value: answer })
  })
})
