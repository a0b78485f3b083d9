// What a server writes that names no call, or not which; and who may read its words. The client's id is "c", ours is 101.

import { describe, expect, test } from '@jest/globals'
import { inspect } from 'node:util'
import { lineChannel } from '../../../support/line-channel.ts'

const line = (members: string): string => `{"jsonrpc":"2.0",${members}}`

const REQUEST = { jsonrpc: '2.0', id: 101, method: 'tools/call', params: { name: 'result' } }
const ANSWER = line('"id":"c","result":{}')

const IGNORED: readonly (readonly [name: string, ...written: readonly string[]])[] = [
  ['an empty line', '', ' ', '\r', '\ufeff'],
  ['a banner', 'Welcome to the server!', '=== v1.2.3 ==='],
  ['an answer to nobody', line('"id":7,"result":{}'), line('"id":"x","result":{}')],
  ['our number with a sign', line('"id":-101,"result":{}')],
  ['a result without an id', line('"result":{}'), line('"id":null,"result":{}')],
  ['an id that is none', line('"id":true,"result":{}'), line('"id":{},"result":{}')],
  ['a log record in JSON', '{"level":30,"id":101,"msg":"tools/call"}'],
  [
    'a log line that quotes the request',
    `received ${line('"id":101,"method":"tools/call","params":{"name":"result"}')}`,
  ],
  [
    'a log line that quotes a part of it',
    `received ${line('"id":101,"method":"tools/call"').slice(0, 40)}`,
  ],
  [
    'the request itself, cut off',
    line('"id":101,"method":"tools/call","params":{"a":{').slice(0, -1),
  ],
  ['the request over several lines', ...JSON.stringify(REQUEST, null, 2).split('\n')],
  ['the request, broken behind its id', '{"jsonrpc":"2.0","id":101,', '"method":"tools/call"}'],
  ['the request as an object of JavaScript', ...inspect(REQUEST, { breakLength: 20 }).split('\n')],
  [
    'the request as an object of Python',
    "{'jsonrpc': '2.0',",
    " 'id': 101,",
    " 'method': 'tools/call',",
    " 'params': {'result': 1}}",
  ],
  [
    'settings as an object of JavaScript',
    ...inspect({ id: 101, result: 'x', port: 3000 }, { breakLength: 20 }).split('\n'),
  ],
  ['words that look like JSON', '{ starting up }', '[info] listening'],
  ['progress of nobody', line('"method":"notifications/progress","params":{"progressToken":null}')],
]

describe('a line that names nobody', () => {
  test.each(IGNORED)('%s: the call goes on', (_name, ...written) => {
    const { link, heard, wait } = lineChannel({ ids: [101] })
    for (const one of written) link.writes(one)
    wait(2000)
    expect(heard).toEqual([{ texts: [], faults: [] }])
    link.writes(line('"id":101,"result":{}'))
    expect(heard).toEqual([{ texts: [ANSWER], faults: [] }])
  })

  test('and is whole has nothing to do with the next', () => {
    const { link, remarks } = lineChannel({ ids: [101] })
    for (const one of ["{ level: 'info', port: 3000 }", 'Listening']) link.writes(one)
    expect(remarks.oddities.map(([what]) => what)).toEqual(['text', 'text'])
  })

  test('is told where the call gets no answer', () => {
    const { link, heard, wait } = lineChannel({ ids: [101] })
    link.writes('Listening on stdio...')
    wait(60_000)
    expect(heard[0]?.faults[0]?.message).toContain('which is no message: Listening on stdio...')
  })
})

describe('an error without an id', () => {
  const error = (code: number, message: string): string =>
    line(`"id":null,"error":{"code":${code},"message":"${message}"}`)

  test('with several in flight is told in the timeout of each, and in the log', () => {
    const { link, heard, wait, remarks } = lineChannel({ ids: [101, 102] })
    link.writes(error(-32603, 'out of cheese'))
    expect(heard.map(({ texts }) => texts)).toEqual([[], []])
    wait(60_000)
    for (const { faults } of heard) expect(faults[0]?.message).toContain('out of cheese')
    expect(remarks.oddities).toEqual([['error-without-id', 'out of cheese']])
  })

  test.each([
    ['a method that is unknown', error(-32601, 'Method not found')],
    ['a notification', error(-32600, 'unknown notification notifications/initialized')],
  ])('may be about a notification before the call: %s', (_name, written) => {
    const { channel, link, heard } = lineChannel({ ids: [101] })
    channel.send('{"jsonrpc":"2.0","method":"notifications/initialized"}')
    link.writes(written)
    expect(heard).toEqual([{ texts: [], faults: [] }])
  })

  test.each([
    ['before a later one has been answered', [101], false],
    ['once a later one has been answered', [101, 102], true],
  ])('of a server with a call that was given up, %s', (_name, others, isTold) => {
    const { channel, calls, link, heard } = lineChannel({ ids: [...others, 103] })
    const [given] = calls
    if (given) channel.cancel(given, 'disconnected')
    if (isTold) link.writes(line('"id":102,"result":{}'))
    link.writes(error(-32603, 'm'))
    expect(heard.at(-1)?.texts.length).toBe(isTold ? 1 : 0)
  })

  test('of what strangers share is nobody’s, once it has answered', () => {
    const { link, heard } = lineChannel({ ids: [101, 102], isShared: true })
    link.writes(line('"id":101,"result":{}'))
    link.writes(error(-32603, 'secret'))
    expect(heard[1]).toEqual({ texts: [], faults: [] })
  })

  test('is about no notification once a later call has been answered', () => {
    const { channel, link, heard } = lineChannel({ ids: [101, 102] })
    channel.send('{"jsonrpc":"2.0","method":"notifications/initialized"}')
    link.writes(line('"id":101,"result":{}'))
    expect(heard[1]).toEqual({ texts: [], faults: [] })
    link.writes(error(-32603, 'm'))
    expect(heard[1]?.texts).toEqual([line('"id":"c","error":{"code":-32603,"message":"m"}')])
  })
})

describe('answers that are read here', () => {
  test.each([['initialize'], ['server/discover'], ['tools/list']])(
    '%s: a name that stands twice anywhere in it fails the call',
    (method) => {
      const { link, heard } = lineChannel({ ids: [101], method })
      link.writes(
        line(
          '"id":101,"result":{"tools":[{"inputSchema":{"x-mcp-header":"A","x-mcp-header":"B"}}]}',
        ),
      )
      expect(heard[0]?.texts).toEqual([])
      expect(heard[0]?.faults[0]?.message).toContain('"x-mcp-header" stands twice')
    },
  )
})

describe('an update', () => {
  const update = (uris: string): string =>
    line(
      `"method":"notifications/resources/updated","params":{${uris},"_meta":{"io.modelcontextprotocol/subscriptionId":101}}`,
    )

  test.each([
    ['of one resource is heard', '"uri":"f://a"', 1],
    [
      'that names two, of which readers take one or the other, is not',
      '"uri":"f://a","uri":"f://b"',
      0,
    ],
  ])('%s', (_name, uris, count) => {
    const { link, heard, owned } = lineChannel({ ids: [101] })
    link.writes(update(uris))
    expect([heard[0]?.texts.length, owned]).toEqual([count, []])
  })
})

describe("the server's own request", () => {
  test.each([
    [
      'a name in another case',
      line('"id":5,"method":"sampling/createMessage","params":{"NAME":1}'),
    ],
    ['broken parameters', line('"id":5,"method":"sampling/createMessage","params":{"a":NaN}')],
    [
      'broken before its method',
      line('"id":5,"params":{"a":NaN},"method":"sampling/createMessage"'),
    ],
  ])('is refused where it cannot be used: %s', (_name, written) => {
    const { link, heard, owned } = lineChannel({ ids: [5] })
    link.writes(written)
    expect([heard, owned]).toEqual([[{ texts: [], faults: [] }], []])
    expect(link.sent).toEqual([
      expect.stringMatching(
        /^\{"jsonrpc":"2.0","id":5,"error":\{"code":-32600,"message":"the request cannot/,
      ),
    ])
  })
})

describe('Content-Length headers', () => {
  test.each([
    ['alone', []],
    ['behind a Content-Type', ['Content-Type: application/vscode-jsonrpc; charset=utf-8\r']],
    ['behind words and a Content-Type', ['Welcome!', 'Content-Type: application/json\r']],
  ])('before the first answer fail every call at once: %s', (_name, before) => {
    const { link, heard, remarks } = lineChannel({ ids: [101, 102] })
    for (const one of before) link.writes(one)
    link.writes('Content-Length: 119\r')
    for (const { faults } of heard) expect(faults[0]?.message).toContain('as language servers do')
    // A whole message may stand between two headers: what comes is never taken for an answer.
    expect(link.isClosed).toBe(true)
    expect(remarks.oddities.slice(before.length)).toEqual([
      ['content-length', expect.stringContaining('Content-Length: 119')],
    ])
  })

  test.each([
    ['behind a status line', ['HTTP/1.1 200 OK', 'Content-Length: 119']],
    ['behind another header', ['date: now', 'content-length: 119']],
    ['behind both', ['HTTP/1.1 200 OK', 'Content-Type: application/json', 'Content-Length: 119']],
    ['as fetch names them', ['content-type: application/json', 'content-length: 119']],
  ])('of an HTTP message that is printed are words: %s', (_name, written) => {
    const { link, heard, wait } = lineChannel({ ids: [101] })
    for (const one of written) link.writes(one)
    wait(2000)
    expect(heard[0]).toEqual({ texts: [], faults: [] })
  })

  test('behind an answer are words', () => {
    const { link, heard, wait } = lineChannel({ ids: [101, 102] })
    link.writes(line('"id":101,"result":{}'))
    link.writes('Content-Length: 119\r')
    wait(2000)
    expect(heard[1]).toEqual({ texts: [], faults: [] })
  })
})

describe('a process that strangers share', () => {
  test('stands in no fault with a word of its own, once it has answered', () => {
    const { link, heard, wait } = lineChannel({ ids: [101, 102, 103, 104], isShared: true })
    link.writes(line('"id":101,"result":{}'))
    link.writes(line('"id":102,"error":"secret"'))
    link.writes('secret')
    wait(60_000)
    link.ends({ message: 'the server exited with code 3', exitCode: 3, stderr: 'secret' })
    const messages = heard.flatMap(({ faults }) => faults.map((fault) => JSON.stringify(fault)))
    expect(messages).toHaveLength(3)
    expect(messages.join()).not.toContain('secret')
  })
})
