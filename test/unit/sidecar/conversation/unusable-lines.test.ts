// What a server writes that names the call and cannot be used: the call fails within a second, and no other. One call is in
// flight: the client's id is "c", ours is 101.

import { describe, expect, test } from '@jest/globals'
import { inspect } from 'node:util'
import { lineChannel } from '../../../support/line-channel.ts'

const line = (members: string): string => `{"jsonrpc":"2.0",${members}}`
const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)
const many = (count: number): string =>
  `{${Array.from({ length: count }, (_, index) => `"m${index}":1`).join()}}`

const FAILED: readonly (readonly [name: string, written: string | Buffer, says: string])[] = [
  ['no JSON-RPC', '{"id":101,"result":{}}', '"jsonrpc" is not "2.0"; it begins: {"id":101'],
  ['another version', '{"jsonrpc":"1.0","id":101,"result":{}}', '"jsonrpc" is not "2.0"'],
  [
    'a result and an error',
    line('"id":101,"result":{},"error":{"code":1,"message":""}'),
    'exactly one of',
  ],
  ['neither', line('"id":101'), 'exactly one of'],
  [
    'an error that is a text',
    line('"id":101,"error":"no such file"'),
    '"error" is not an object; it begins: {"jsonrpc":"2.0","id":101,"error":"no such file"}',
  ],
  ['a method, too', line('"id":101,"method":"tools/call","result":{}'), 'has no "result"'],
  [
    'isError twice',
    line('"id":101,"result":{"isError":false,"isError":true}'),
    '"isError" stands twice',
  ],
  [
    'what kind of result it is, twice',
    line('"id":101,"result":{"resultType":"complete","resultType":"input_required"}'),
    '"resultType" stands twice',
  ],
  [
    'what its client is asked, twice',
    line('"id":101,"result":{"inputRequests":{},"inputRequests":{"a":{"method":"roots/list"}}}'),
    '"inputRequests" stands twice',
  ],
  [
    'who may keep it, twice',
    line('"id":101,"result":{"cacheScope":"private","cacheScope":"public"}'),
    '"cacheScope" stands twice',
  ],
  ['_meta twice', line('"id":101,"result":{"_meta":{},"_meta":{}}'), '"_meta" stands twice'],
  ['the id twice', line('"id":1,"id":101,"result":{}'), '"id" stands twice'],
  ['two results', line('"id":101,"result":{},"result":{"x":1}'), '"result" stands twice'],
  [
    'an error that is null and then not',
    line('"id":101,"result":{},"error":null,"error":{}'),
    '"error" stands twice',
  ],
  [
    'a result in another case, too',
    line('"id":101,"result":{},"Result":{}'),
    'differs only in case',
  ],
  ['all names in another case', '{"JSONRPC":"2.0","ID":101,"Result":{}}', 'differs only in case'],
  ['too deep', line(`"id":101,"result":${deep(200)}`), 'nested deeper than 128'],
  [
    'too deep, the id last',
    `{"result":${deep(200)},"jsonrpc":"2.0","id":101}`,
    'nested deeper than 128',
  ],
  [
    'too deep, the id last but for simple members',
    `{"jsonrpc":"2.0","result":${deep(200)},"id":"101","error":null}`,
    'nested deeper than 128',
  ],
  ['half a surrogate pair in a name', line('"id":101,"result":{"\\ud800":1}'), 'a lone surrogate'],
  ['too many members', line(`"id":101,"result":${many(4100)}`), 'more than 4096 members'],
  [
    'too many members, the id last',
    `{"jsonrpc":"2.0","result":${many(4100)},"id":101}`,
    'more than 4096 members',
  ],
  ['NaN', line('"id":101,"result":{"x":NaN}'), 'a value is missing (at byte'],
  ['a tab inside a string', line('"id":101,"result":"a\tb"'), 'a control character (0x09)'],
  [
    'bytes that are not UTF-8',
    Buffer.from(line('"id":101,"result":"\xff"'), 'latin1'),
    'not valid UTF-8',
  ],
  ['a NUL before it', `\0${line('"id":101,"result":{}')}`, ''],
  ['UTF-16', Buffer.from(line('"id":101,"result":{}'), 'utf16le'), 'UTF-16'],
  [
    'UTF-16 with its mark',
    Buffer.from(`\ufeff${line('"id":101,"result":{}')}`, 'utf16le'),
    'UTF-16',
  ],
  ['cut off', line('"id":101,"result":{"a":1').slice(0, -1), 'several lines'],
  ['a surplus bracket', `${line('"id":101,"result":{}')}}`, 'something follows'],
  ['a result that closes too early', line('"id":101,"result":{}},"a":1'), 'something follows'],
  ['words behind it', `${line('"id":101,"result":{}')} done`, 'something follows'],
  ['a trailing comma', line('"id":101,"result":{},'), 'a member name is missing'],
  ['a quote missing in front', '{"jsonrpc:"2.0","id":101,"result":{}}', 'a colon is missing'],
  ['a list in a list', `[[${line('"id":101,"result":{}')}]]`, 'a list in a list'],
  [
    'in a batch that breaks off behind it',
    `[${line('"id":101,"result":{}')},{"json`,
    'several lines',
  ],
  [
    'in a batch, broken itself',
    `[${line('"id":7,"result":{}')},${line('"id":101,"result":{]')}]`,
    'a member name is missing',
  ],
  [
    'behind something that was left on its line',
    `done.${line('"id":101,"result":{}')}`,
    'a JSON object or array',
  ],
  ['without its first bracket', line('"id":101,"result":{}').slice(1), 'a JSON object or array'],
]

describe('a line that names the call and cannot be used', () => {
  test.each(FAILED)('%s: the call fails within a second', (_name, written, says) => {
    const { link, heard, wait } = lineChannel({ ids: [101] })
    link.writes(written)
    wait(1000)
    const [fault, other] = heard[0]?.faults ?? []
    expect([heard[0]?.texts, fault?.code, other]).toEqual([[], 'unusable-answer', undefined])
    expect(fault?.message).toMatch(/^the server's answer to tools\/call cannot be used: /)
    expect(fault?.message).toContain(says)
    expect(fault?.message.length).toBeLessThan(700)
  })

  test('an answer counts behind a log line that quotes it', () => {
    const { link, heard, wait } = lineChannel({ ids: [101] })
    link.writes(`[debug] sending ${line('"id":101,"result":{"a":1}')}`)
    wait(400)
    link.writes(line('"id":101,"result":{"b":1}'))
    wait(1000)
    expect(heard).toEqual([{ texts: [line('"id":"c","result":{"b":1}')], faults: [] }])
  })

  test('behind such a text, a line has its own reason again', () => {
    const { link, heard } = lineChannel({ ids: [101, 102] })
    for (const one of ['{"jsonrpc":"2.0","id":101,"result":{', '"a":1}}']) link.writes(one)
    link.writes(line('"id":102,"result":NaN'))
    expect(heard.map(({ faults }) => faults[0]?.message)).toEqual([
      expect.stringContaining('several lines'),
      expect.stringMatching(/cannot be used: a value is missing \(at byte/),
    ])
  })

  test.each([
    ['by two spaces', JSON.stringify({ jsonrpc: '2.0', id: 101, result: { id: 102 } }, null, 2)],
    [
      'by tabs',
      JSON.stringify({ result: { id: 102, b: [] }, jsonrpc: '2.0', id: 101 }, null, '\t'),
    ],
    ['the id as a string', JSON.stringify({ jsonrpc: '2.0', result: {}, id: '101' }, null, 4)],
    ['a break behind the id', '{"jsonrpc":"2.0","id":101,\n"result":{}}'],
    ['a break before the id', '{"jsonrpc":"2.0",\n"id":101,"result":{}}'],
  ])('over several lines, %s: the call that it names fails, and no other', (_name, written) => {
    const { link, heard, wait, remarks } = lineChannel({ ids: [101, 102] })
    for (const one of written.split('\n')) link.writes(one)
    wait(1000)
    expect(heard.map(({ faults }) => faults.length)).toEqual([1, 0])
    // Whatever stands on its lines, the log says no more than that.
    const oddities = remarks.oddities.map(([what]) => what)
    expect(oddities).toContain('several-lines')
    expect(oddities).not.toContain('text')
  })

  const RESULT = { content: [{ type: 'text', text: 'x'.repeat(80) }], id: 102 }
  const printed = (message: object): string => inspect(message, { depth: 1, breakLength: 60 })
  class Answer {
    jsonrpc = '2.0'
    id = 101
    result = RESULT
  }

  test.each([
    ['JavaScript', printed({ jsonrpc: '2.0', id: 101, result: RESULT })],
    ['JavaScript, the id last', printed({ result: RESULT, jsonrpc: '2.0', id: 101 })],
    ['JavaScript, the id as a string', printed({ result: RESULT, jsonrpc: '2.0', id: '101' })],
    ['JavaScript, with its class', printed(new Answer())],
    [
      'JavaScript, of no prototype',
      printed(Object.assign(Object.create(null), { jsonrpc: '2.0', id: 101, error: RESULT })),
    ],
    [
      'Python',
      "{'id': 101,\n 'jsonrpc': '2.0',\n 'result': {'content': [],\n            'id': 102}}",
    ],
    ['Python, the id last', "{'jsonrpc': '2.0',\n 'result': {'content': []},\n 'id': 101}"],
    ['Ruby', '{:jsonrpc=>"2.0",\n :id=>101,\n :result=>{:content=>[], :id=>102}}'],
    ['Ruby, by names', '{"jsonrpc" => "2.0",\n "id" => 101,\n "result" => {"id" => 102}}'],
  ])(
    'as an object of %s: the same within a second, unless the answer follows',
    (_name, written) => {
      for (const isLog of [true, false]) {
        const { link, heard, wait, remarks } = lineChannel({ ids: [101, 102] })
        for (const one of written.split('\n')) link.writes(one)
        if (isLog) link.writes(line('"id":101,"result":{}'))
        wait(1000)
        const [failed, other] = heard.map(({ faults }) => faults)
        expect([failed?.length, other?.length]).toEqual([isLog ? 0 : 1, 0])
        if (!isLog) expect(failed?.[0]?.message).toContain('over several lines')
        expect(remarks.oddities.map(([what]) => what)).toContain('several-lines')
      }
    },
  )
})
