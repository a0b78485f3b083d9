// What is exactly one MCP message, and what only looks like one to somebody.

import { describe, expect, test } from '@jest/globals'
import { aMessage, aRequest, read } from '../../../support/messages.ts'
import { MAX_ID_LENGTH, member, nameOf, slice, stringAt } from '../../../../sidecar/mcp/message.ts'

const error = (body: string): string | undefined => {
  const message = read(body)
  return message.ok ? undefined : message.error
}

const envelope = (members: string): string => `{"jsonrpc":"2.0",${members}}`
const request = (members: string): string => envelope(`"id":1,"method":"tools/call",${members}`)

describe('kinds', () => {
  test.each([
    ['a request', '"id":1,"method":"ping"', 'request'],
    ['a request with parameters', '"id":1,"method":"ping","params":{}', 'request'],
    ['a notification', '"method":"notifications/initialized"', 'notification'],
    ['a result', '"id":1,"result":{}', 'response'],
    ['a result that is no object', '"id":1,"result":null', 'response'],
    ['an error', '"id":1,"error":{"code":1,"message":""}', 'response'],
    ['an error without a request', '"id":null,"error":{"code":1,"message":""}', 'response'],
    ['an error without an id', '"error":{"code":1,"message":""}', 'response'],
    ['members that nobody knows', '"id":1,"method":"ping","__proto__":{},"extra":[1]', 'request'],
    ['a method in escapes', '"id":1,"method":"\\u0070ing"', 'request'],
  ])('%s', (_name, members, kind) => {
    expect(aMessage(envelope(members)).kind).toBe(kind)
  })

  test.each([
    ['an array', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', 'a batch'],
    ['no version', '{"id":1,"method":"ping"}', '"jsonrpc" is not "2.0"'],
    ['a version as number', '{"jsonrpc":2.0,"id":1,"method":"ping"}', '"jsonrpc" is not "2.0"'],
    ['another version', '{"jsonrpc":"1.0","id":1,"method":"ping"}', '"jsonrpc" is not "2.0"'],
    ['nothing but a version', envelope('"x":1'), 'needs "method"'],
    ['a result and an error', envelope('"id":1,"result":{},"error":{}'), 'exactly one of'],
    ['a result without id', envelope('"result":{}'), 'needs the "id"'],
    ['a result for null', envelope('"id":null,"result":{}'), 'needs the "id"'],
    ['a method and a result', envelope('"id":1,"method":"a","result":{}'), 'has no "result"'],
    ['a method and an error', envelope('"method":"a","error":{}'), 'has no "result"'],
    ['a method that is no string', envelope('"id":1,"method":1'), 'not a string'],
    ['an empty method', envelope('"id":1,"method":""'), 'not a method name'],
    ['a method with a space', envelope('"id":1,"method":"a b"'), 'not a method name'],
    ['a method with an escaped LF', envelope('"id":1,"method":"a\\n"'), 'not a method name'],
    ['a method with a NUL', envelope('"id":1,"method":"a\\u0000"'), 'not a method name'],
    ['a method beyond ASCII', envelope('"id":1,"method":"é"'), 'not a method name'],
    ['a long method', envelope(`"id":1,"method":"${'m'.repeat(257)}"`), 'not a method name'],
    [
      'parameters as array',
      envelope('"id":1,"method":"a","params":[]'),
      '"params" is not an object',
    ],
    [
      'parameters as null',
      envelope('"id":1,"method":"a","params":null'),
      '"params" is not an object',
    ],
    ['_meta as string', request('"params":{"_meta":""}'), '"_meta" is not an object'],
    ['a token as object', request('"params":{"_meta":{"progressToken":{}}}'), '"progressToken"'],
    ['a token as null', request('"params":{"_meta":{"progressToken":null}}'), '"progressToken"'],
    ['a token as boolean', request('"params":{"_meta":{"progressToken":true}}'), '"progressToken"'],
  ])('refuses %s', (_name, body, part) => {
    expect(error(body)).toContain(part)
  })
})

const IDS: readonly (readonly [string, string])[] = [
  ['an integer', '1'],
  ['zero', '0'],
  ['minus zero', '-0'],
  ['a negative integer', '-7'],
  ['a float', '1.0'],
  ['a float with an exponent', '1.5E+3'],
  ['2^53 + 1', '9007199254740993'],
  ['a number of 100 digits', '9'.repeat(100)],
  ['a number that no double holds', '1e999'],
  ['a string', '"a"'],
  ['the same string escaped', '"\\u0061"'],
  ['an empty string', '""'],
  ['a string with a lone surrogate', '"\\ud800"'],
  ['a string beyond ASCII', '"é😀"'],
  ['a name of a prototype', '"__proto__"'],
  ['the longest', `"${'i'.repeat(MAX_ID_LENGTH - 2)}"`],
]

const NO_IDS: readonly (readonly [string, string])[] = [
  ['null', 'null'],
  ['an object', '{}'],
  ['an array', '[1]'],
  ['true', 'true'],
  ['one longer than the longest', `"${'i'.repeat(MAX_ID_LENGTH - 1)}"`],
  ['a number of 300 digits', '9'.repeat(300)],
]

describe('ids and tokens', () => {
  test.each(IDS)('%s is kept as its text', (_name, id) => {
    const body = envelope(`"id":${id},"method":"a","params":{"_meta":{"progressToken":${id}}}`)
    const message = aRequest(body)
    const token = member(message.meta, 'progressToken')
    expect(Buffer.from(slice(message.text, message.id), 'latin1').toString()).toBe(id)
    expect(token && Buffer.from(slice(message.text, token), 'latin1').toString()).toBe(id)
  })

  test.each(NO_IDS)('%s is refused', (_name, id) => {
    expect(error(envelope(`"id":${id},"method":"a"`))).toContain('"id" is neither')
    expect(error(request(`"params":{"_meta":{"progressToken":${id}}}`))).toContain(
      '"progressToken"',
    )
  })
})

// A decoder that matches names without case (Go's) takes the last of two that it takes for one.
describe('names that somebody takes for ours', () => {
  test.each([
    ['METHOD', envelope('"id":1,"method":"ping","METHOD":"tools/call"'), '"method"'],
    ['Method alone', '{"jsonrpc":"2.0","id":1,"Method":"ping"}', '"method"'],
    ['Id', envelope('"id":1,"Id":2,"method":"ping"'), '"id"'],
    ['İd, which is not id', envelope('"id":1,"İd":2,"method":"ping"'), undefined],
    ['ıd by a dotless i', envelope('"id":1,"ıd":2,"method":"ping"'), '"id"'],
    ['paramſ by a long s', envelope('"id":1,"method":"ping","paramſ":{}'), '"params"'],
    ['the same escaped', envelope('"id":1,"method":"ping","param\\u017f":{}'), '"params"'],
    ['jsonRPC', envelope('"jsonRPC":"1.0","id":1,"method":"ping"'), '"jsonrpc"'],
    ['Result', envelope('"id":1,"result":{},"Result":{}'), '"result"'],
    ['ERROR', envelope('"id":1,"result":{},"ERROR":{}'), '"error"'],
    ['params.Name', request('"params":{"name":"a","Name":"b"}'), '"name"'],
    ['params.URI', request('"params":{"uri":"a","URI":"b"}'), '"uri"'],
    ['params.Arguments', request('"params":{"name":"a","Arguments":{}}'), '"arguments"'],
    ['params.taskID', request('"params":{"taskId":"a","taskID":"b"}'), '"taskId"'],
    ['params._META', request('"params":{"_META":{}}'), '"_meta"'],
    ['params.requeſtId', request('"params":{"requeſtId":1}'), '"requestId"'],
    [
      'progressToKen by a Kelvin sign',
      request('"params":{"_meta":{"progressTo\u212aen":1}}'),
      '"progressToken"',
    ],
    ['TraceParent', request('"params":{"_meta":{"TraceParent":""}}'), '"traceparent"'],
    [
      'a modern key',
      request('"params":{"_meta":{"IO.modelcontextprotocol/protocolVersion":""}}'),
      'protocolVersion"',
    ],
    [
      "NAME among the arguments, which are the tool's",
      request('"params":{"arguments":{"name":1,"NAME":2}}'),
      undefined,
    ],
    ["a name of another method's", request('"params":{"Foo":1}'), undefined],
  ])('%s', (_name, body, twin) => {
    const found = error(body)
    if (twin === undefined) expect(found).toBeUndefined()
    else expect(found).toMatch(new RegExp(`differs only in case from .*${twin}`))
  })

  test('are cut in the error text', () => {
    expect(
      error(envelope(`"id":1,"method":"a","METHOD":"${'x'.repeat(5000)}"`))?.length,
    ).toBeLessThan(200)
  })
})

describe('a name', () => {
  const long = 'n'.repeat(2000)
  test.each([
    ['is read once', '"name":"echo"', 'echo', 'echo'],
    ['in escapes', '"name":"\\u0065cho"', 'echo', 'echo'],
    ['that is long is not kept, and read all the same', `"name":"${long}"`, undefined, long],
    ['that is no string is none', '"name":["echo"]', undefined, undefined],
    ['that is not there is none', '', undefined, undefined],
  ])('%s', (_name, members, shortName, name) => {
    const asked = aRequest(request(`"params":{${members}}`))
    expect([asked.shortName, nameOf(asked)]).toEqual([shortName, name])
  })
})

describe('stringAt', () => {
  const params = (value: string): string | undefined => {
    const message = aRequest(request(`"params":{"name":${value}}`))
    return stringAt(message.text, member(message.params, 'name'))
  }

  test.each([
    ['plain', '"a b"', 'a b'],
    ['escaped', '"\\u0061\\n\\""', 'a\n"'],
    ['beyond ASCII', '"é😀"', 'é😀'],
    ['a pair of escapes', '"\\ud83d\\ude00"', '😀'],
    ['empty', '""', ''],
    ['a lone surrogate', '"a\\ud800"', undefined],
    ['a number', '1', undefined],
    ['an object', '{}', undefined],
  ])('%s', (_name, value, expected) => {
    expect(params(value)).toBe(expected)
  })

  test('nothing where nothing stands', () => {
    expect(stringAt('{}', undefined)).toBeUndefined()
  })
})
