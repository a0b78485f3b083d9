// What servers of other languages write: by serializers that know no empty object, by a print of the language's own objects
// instead of JSON, by frames of other protocols. One call is in flight: the client's id is "c", ours is 101.

import { describe, expect, test } from '@jest/globals'
import { lineChannel } from '../../../support/line-channel.ts'

const line = (members: string): string => `{"jsonrpc":"2.0",${members}}`
const ANSWER = line('"id":101,"result":{}')
const REACHES = line('"id":"c","result":{}')

describe('an answer that has one meaning', () => {
  test.each([
    ['PHP: a result that is empty', line('"id":101,"result":[]'), 'empty-object'],
    ['the same with a space in it', line('"id":101,"result":[ ]'), 'empty-object'],
    ['the same in a batch', `[${line('"id":101,"result":[]')}]`, 'batch,empty-object'],
    [
      'the same beside a null',
      line('"id":101,"result":[],"error":null'),
      'null-member,empty-object',
    ],
    ['Rust: a result of ()', line('"id":101,"result":null'), 'empty-object'],
    ['Java: every member there is', line('"method":null,"id":101,"result":{}'), 'null-member'],
    ['an id that the server keeps as a string', line('"id":"101","result":{}'), 'id-spelling'],
    ['an id that it keeps as a float', line('"id":101.0,"result":{}'), 'id-spelling'],
    ['an id of many digits', line('"id":101.000000000000000000000,"result":{}'), 'id-spelling'],
    ['line feeds in a list', `[\n${ANSWER}\n]`.replaceAll('\n', ' '), 'batch'],
    ['a list with a null in it', `[null,${ANSWER}]`, 'batch'],
    ['a list with a text in it', `["x",${ANSWER}]`, 'batch'],
  ])('%s', (_name, written, tolerated) => {
    const { link, heard, remarks } = lineChannel({ ids: [101] })
    link.writes(written)
    expect(heard).toEqual([{ texts: [REACHES], faults: [] }])
    expect(remarks.tolerances.join()).toBe(tolerated)
  })

  test.each([
    ['lines that end with CR', `${line('"method":"ping/x"')}\r${ANSWER}\r`, `${REACHES} `],
    [
      'a code with a point',
      line('"id":101,"error":{"code":-1.0,"message":""}'),
      line('"id":"c","error":{"code":-1.0,"message":""}'),
    ],
    [
      'half a pair in the text of an error',
      line('"id":101,"error":{"code":1,"message":"\\ud800"}'),
      line('"id":"c","error":{"code":1,"message":"\\ud800"}'),
    ],
    [
      'parameters beside a result',
      line('"id":101,"result":{},"params":[]'),
      line('"id":"c","result":{},"params":[]'),
    ],
    [
      'an empty list within the result',
      line('"id":101,"result":{"content":[],"_meta":{}}'),
      line('"id":"c","result":{"content":[],"_meta":{}}'),
    ],
  ])('%s', (_name, written, reaches) => {
    const { link, heard } = lineChannel({ ids: [101] })
    link.writes(written)
    expect(heard).toEqual([{ texts: [reaches], faults: [] }])
  })
})

describe("a message of the server's own that has one meaning", () => {
  test.each([
    [
      'PHP: a notification without parameters',
      line('"method":"notifications/tools/list_changed","params":[]'),
      line('"method":"notifications/tools/list_changed","params":{}'),
      'empty-object',
    ],
    [
      'PHP: a request without parameters',
      line('"id":7,"method":"roots/list","params":[]'),
      line('"id":7,"method":"roots/list","params":{}'),
      'empty-object',
    ],
    [
      'PHP: an empty _meta',
      line('"id":7,"method":"roots/list","params":{"_meta":[]}'),
      line('"id":7,"method":"roots/list","params":{"_meta":{}}'),
      'empty-object',
    ],
    [
      'a notification with an id',
      line('"id":7,"method":"notifications/message","params":{"data":1}'),
      line('"method":"notifications/message","params":{"data":1}'),
      'notification-id',
    ],
    [
      'the id last',
      '{"method":"notifications/message","params":{"data":[1,2]},"jsonrpc":"2.0","id":"x"}',
      '{"method":"notifications/message","params":{"data":[1,2]},"jsonrpc":"2.0"}',
      'notification-id',
    ],
    [
      'the id alone between spaces',
      '{ "id" : 7 , "jsonrpc" : "2.0" , "method" : "notifications/message" }',
      '{ "jsonrpc" : "2.0", "method" : "notifications/message"}',
      'notification-id',
    ],
    [
      'an id and no parameters',
      line('"id":7,"method":"notifications/message","params":[]'),
      line('"method":"notifications/message","params":{}'),
      'empty-object,notification-id',
    ],
    [
      'an id that is our number',
      line('"id":101,"method":"notifications/message"'),
      line('"method":"notifications/message"'),
      'notification-id',
    ],
  ])('%s', (_name, written, reaches, tolerated) => {
    const { link, heard, owned, remarks } = lineChannel({ ids: [101] })
    link.writes(written)
    expect(owned).toEqual([reaches])
    expect(heard).toEqual([{ texts: [], faults: [] }])
    expect(remarks.tolerances.join()).toBe(tolerated)
  })

  test('progress with an id reaches its caller, and nobody else', () => {
    const { link, heard, owned } = lineChannel({ ids: [101] })
    link.writes(
      line(
        '"id":3,"method":"notifications/progress","params":{"progressToken":"101","progress":1}',
      ),
    )
    expect(owned).toEqual([])
    expect(heard[0]?.texts).toEqual([
      line('"method":"notifications/progress","params":{"progressToken":"c","progress":1}'),
    ])
  })
})

const FAILED: readonly (readonly [name: string, written: string | Buffer, says: string])[] = [
  ['a result that is a text', line('"id":101,"result":"ok"'), '"result" is not an object'],
  ['a result that is true', line('"id":101,"result":true'), '"result" is not an object'],
  ['a result that is a number', line('"id":101,"result":0'), '"result" is not an object'],
  ['a result that is a list', line('"id":101,"result":[{}]'), '"result" is not an object'],
  ['the same in a batch', `[${line('"id":101,"result":[0]')}]`, '"result" is not an object'],
  ['an error that is a list', line('"id":101,"error":[]'), '"error" is not an object'],
  ['an error that is empty', line('"id":101,"error":{}'), 'the "code" of its error'],
  ['an error without a code', line('"id":101,"error":{"message":"m"}'), 'the "code" of its error'],
  [
    'a code that is a text',
    line('"id":101,"error":{"code":"-32601","message":"m"}'),
    'the "code" of its error',
  ],
  [
    'a code that is no whole number',
    line('"id":101,"error":{"code":1.5,"message":"m"}'),
    'the "code" of its error',
  ],
  [
    'a code of a thousand digits',
    line(`"id":101,"error":{"code":${'1'.repeat(1000)},"message":"m"}`),
    'the "code" of its error',
  ],
  ['an error without a message', line('"id":101,"error":{"code":1}'), 'the "message" of its error'],
  [
    'a message that is null',
    line('"id":101,"error":{"code":1,"message":null}'),
    'the "message" of its error',
  ],
  [
    'a message that is an object',
    line('"id":101,"error":{"code":1,"message":{}}'),
    'the "message" of its error',
  ],
  [
    'Go: an error that is empty beside a result',
    line('"id":101,"result":{},"error":{"code":0,"message":""}'),
    'exactly one of',
  ],
  [
    'an error that is false beside a result',
    line('"id":101,"result":{},"error":false'),
    'exactly one of',
  ],
  ['a version that is a number', '{"jsonrpc":2.0,"id":101,"result":{}}', '"jsonrpc" is not "2.0"'],
  ['a version that is cut', '{"jsonrpc":"2","id":101,"result":{}}', '"jsonrpc" is not "2.0"'],
  ['JSON-RPC 1.0', '{"id":101,"result":{},"error":null}', '"jsonrpc" is not "2.0"'],
  ['"response" instead of a result', '{"jsonrpc":"2.0","id":101,"response":{}}', 'exactly one of'],
  ['Python: a dict', "{'jsonrpc': '2.0', 'id': 101, 'result': {}}", "it begins: {'jsonrpc'"],
  [
    'Python: a dict with the id last',
    "{'jsonrpc': '2.0', 'result': {'content': []}, 'id': 101}",
    "it begins: {'jsonrpc'",
  ],
  ['Python: None', line('"id":101,"result":{"x":None}'), 'a value is missing'],
  ['Python: True', line('"id":101,"result":{"isError":True}'), 'a value is missing'],
  ['JavaScript: an object', "{ jsonrpc: '2.0', id: 101, result: {} }", 'it begins: { jsonrpc'],
  ['JavaScript: names without quotes', '{jsonrpc:"2.0",id:101,result:{}}', 'it begins: {jsonrpc'],
  ['JavaScript: undefined', line('"id":101,"result":undefined'), 'a value is missing'],
  ['JavaScript: a comment', `${ANSWER} // ok`, 'something follows'],
  ['Ruby: a hash', '{"jsonrpc"=>"2.0", "id"=>101, "result"=>{}}', 'it begins: {"jsonrpc"=>'],
  ['Ruby: a hash of symbols', '{:jsonrpc=>"2.0", :id=>101, :result=>{}}', 'it begins: {:jsonrpc'],
  ['Go: a map', 'map[id:101 jsonrpc:2.0 result:map[]]', 'it begins: map[id:101'],
  [
    'Kotlin: a data class',
    'JSONRPCResponse(jsonrpc=2.0, id=101, result={})',
    'it begins: JSONRPCResponse',
  ],
  ['a message within a string', JSON.stringify(ANSWER), 'it begins: "{\\"jsonrpc'],
  ['a message within an object', `{"type":"rpc","payload":${ANSWER}}`, 'it begins: {"type"'],
  ['a message as an event', `data: ${ANSWER}`, 'it begins: data:'],
  ['colours before it', `\u001b[0m${ANSWER}`, 'it begins:'],
  ['colours behind it', `${ANSWER}\u001b[0m`, 'something follows'],
  ['a prompt before it', `> ${ANSWER}`, 'it begins: >'],
  ['a record separator before it (RFC 7464)', `\u001e${ANSWER}`, 'it is not a JSON object'],
  ['a form feed before it', `\f${ANSWER}`, 'it is not a JSON object'],
  ['a space that does not break before it', `\u00a0${ANSWER}`, 'it is not a JSON object'],
  ['a space without width before it', `\u200b${ANSWER}`, 'it is not a JSON object'],
  ['a semicolon behind it', `${ANSWER};`, 'something follows'],
  ['a comma behind it', `${ANSWER},`, 'something follows'],
  ['a NUL behind it', `${ANSWER}\0`, 'something follows'],
  ['a list that ends with a comma', `[${ANSWER},]`, 'a value is missing'],
  ['minus infinity', line('"id":101,"result":{"x":-Infinity}'), 'a digit is missing'],
  ['Latin-1', Buffer.from(line('"id":101,"result":{"t":"é"}'), 'latin1'), 'not valid UTF-8'],
  ['UTF-16, the high byte first', Buffer.from(ANSWER, 'utf16le').swap16(), 'UTF-16'],
]

describe('an answer that cannot be used', () => {
  test.each(FAILED)('%s: the call fails within a second', (_name, written, says) => {
    const { link, heard, wait } = lineChannel({ ids: [101, 102] })
    link.writes(written)
    wait(1000)
    expect(heard.map(({ texts, faults }) => [texts.length, faults.length])).toEqual([
      [0, 1],
      [0, 0],
    ])
    expect(heard[0]?.faults[0]).toMatchObject({
      code: 'unusable-answer',
      message: expect.stringContaining(says),
    })
  })

  test.each([
    ['Python', "{'jsonrpc': '2.0', 'id': 101, 'result': {}}"],
    ['JavaScript', "{ jsonrpc: '2.0', id: 101, result: {} }"],
    ['a logger', `{"level":30,"response":${ANSWER}}`],
  ])('and is only printed by %s: the answer counts that follows', (_name, written) => {
    const { link, heard, wait } = lineChannel({ ids: [101] })
    link.writes(written)
    wait(400)
    link.writes(ANSWER)
    wait(1000)
    expect(heard).toEqual([{ texts: [REACHES], faults: [] }])
  })
})

describe("an answer that is nobody's", () => {
  test.each([
    ['spaces in its id', line('"id":" 101 ","result":{}'), '" 101 "'],
    ['a sign in its id', line('"id":"+101","result":{}'), '"+101"'],
    ['its id in hexadecimal', line('"id":"0x65","result":{}'), '"0x65"'],
    ['a number to come', line('"id":102,"result":{}'), '102'],
    ['a text before the number', line('"id":"req-101","result":{}'), '"req-101"'],
  ])('is told in the timeout and in the log: %s', (_name, written, id) => {
    const { link, heard, wait, remarks } = lineChannel({ ids: [101] })
    link.writes(written)
    expect(remarks.oddities).toEqual([['unknown-id', id]])
    wait(60_000)
    expect(heard[0]?.faults[0]?.message).toContain(`an answer with the id ${id}`)
  })

  test.each([
    ['a list', line('"id":[101],"result":{}')],
    ['an object', line('"id":{"value":101},"result":{}')],
    ['none by another name', line('"requestId":101,"result":{}')],
    ['a result of another that holds our number', line('"result":{"id":101}')],
  ])('has no id: %s', (_name, written) => {
    const { link, heard, wait } = lineChannel({ ids: [101] })
    link.writes(written)
    wait(2000)
    expect(heard).toEqual([{ texts: [], faults: [] }])
    wait(60_000)
    expect(heard[0]?.faults[0]?.message).toContain(written.slice(0, 20))
  })

  test('but late is nothing to speak of', () => {
    const { link, wait, remarks } = lineChannel({ ids: [101] })
    wait(60_000)
    link.writes(ANSWER)
    expect(remarks.oddities).toEqual([])
  })
})

describe('on the stream of an HTTP answer, which names nobody', () => {
  test.each([
    ['a result without an id', line('"result":{}'), 'needs the "id"'],
    ['a result whose id is null', line('"id":null,"result":{}'), 'needs the "id"'],
    ['a result with an id that is a list', line('"id":[101],"result":{}'), '"id" is neither'],
    ['an object that is no JSON-RPC', '{"content":[]}', '"jsonrpc" is not "2.0"'],
    ['a message that is cut off', '{"jsonrpc":"2.0",', 'several lines'],
    ['a list in a list', '[[{}]]', 'a list in a list'],
  ])('%s fails its call at once, and no other', (_name, written, says) => {
    const { link, heard } = lineChannel({ ids: [101, 102] })
    link.writes(written, 102)
    expect(heard.map(({ faults }) => faults.length)).toEqual([0, 1])
    expect(heard[1]?.faults[0]).toMatchObject({
      code: 'unusable-answer',
      message: expect.stringContaining(says),
    })
    // Its connection is not kept for what nobody waits for.
    expect(link.abandoned).toEqual([102])
  })

  test.each([
    ['a notification that cannot be used', line('"method":"notifications/message","params":[1]')],
    ['one that is broken', line('"method":"notifications/message","params":{"data":NaN}')],
    ['words that keep it open', 'ping'],
    ['the end of a stream as others write it', '[DONE]'],
    [
      "a request of the server's that cannot be used",
      line('"id":5,"method":"roots/list","params":1'),
    ],
  ])('%s leaves the call', (_name, written) => {
    const { link, heard } = lineChannel({ ids: [101] })
    link.writes(written, 101)
    link.writes(ANSWER, 101)
    expect(heard).toEqual([{ texts: [REACHES], faults: [] }])
  })
})
