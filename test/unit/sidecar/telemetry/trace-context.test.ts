// Which contexts are taken, and which bytes of a request change when it gets another.

import { describe, expect, test } from '@jest/globals'
import { rewrite } from '../../../../sidecar/mcp/rewrite.ts'
import {
  contextIn,
  flagsOf,
  injection,
  isSampled,
  readContext,
  traceparent,
} from '../../../../sidecar/telemetry/trace-context.ts'
import { aRequest } from '../../../support/messages.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'
const PARENT = `00-${TRACE}-${SPAN}-01`
const taken = { traceId: TRACE, spanId: SPAN, flags: 1, state: undefined }

describe('traceparent', () => {
  test.each([
    ['recorded', PARENT, taken],
    ['not recorded', `00-${TRACE}-${SPAN}-00`, { ...taken, flags: 0 }],
    ['flags that we do not know', `00-${TRACE}-${SPAN}-ff`, { ...taken, flags: 255 }],
    ['a later version', `01-${TRACE}-${SPAN}-01`, taken],
    ['a later version with more', `cc-${TRACE}-${SPAN}-01-what-comes`, taken],
  ])('%s is taken', (_name, text, context) => {
    expect(readContext(text, undefined)).toEqual(context)
  })

  test.each([
    ['nothing', undefined],
    ['an empty text', ''],
    ['the forbidden version', `ff-${TRACE}-${SPAN}-01`],
    ['version 00 with more', `${PARENT}-x`],
    ['a later version with more but no dash', `01-${TRACE}-${SPAN}-01x`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['upper case', PARENT.toUpperCase()],
    ['a short trace', `00-${TRACE.slice(1)}-${SPAN}-01`],
    ['no flags', `00-${TRACE}-${SPAN}`],
    ['white space', ` ${PARENT}`],
    ['two of them', `${PARENT}, ${PARENT}`],
    ['a line end', `01-${TRACE}-${SPAN}-01-\n`],
    ['too much', `01-${TRACE}-${SPAN}-01-${'x'.repeat(100)}`],
  ])('%s is not', (_name, text) => {
    expect(readContext(text, 'a=b')).toBeUndefined()
  })
})

describe('tracestate', () => {
  const members = (count: number): string =>
    Array.from({ length: count }, (_, index) => `k${index}=v`).join()

  test.each([
    ['one member', 'a=b'],
    ['several, with white space', 'a=b , tenant@system=c d'],
    ['empty members', 'a=b,,'],
    ['nothing', ''],
    ['all that a value may hold', 'a=!"#$%&\'()*+-./09:;<>?@AZ[\\]^_`az{|}~'],
    ['as many as allowed', members(32)],
  ])('%s is taken as it is', (_name, state) => {
    expect(readContext(PARENT, state)).toEqual({ ...taken, state })
  })

  test.each([
    ['no pair', 'a'],
    ['a key in upper case', 'A=b'],
    ['a line end', 'a=b\nc=d'],
    ['a character beyond ASCII', 'a=\u00e9'],
    ['too many', members(33)],
    ['too much', `a=${'b'.repeat(511)}`],
  ])('%s is left out, its parent is not', (_name, state) => {
    expect(readContext(PARENT, state)).toEqual(taken)
  })
})

describe('what a request bears', () => {
  const inMeta = (meta: string, more = ''): string =>
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{${meta}}${more}}}`

  test.each([
    ['both', inMeta(`"traceparent":"${PARENT}","tracestate":"a=b"`), { ...taken, state: 'a=b' }],
    ['escaped', inMeta(`"traceparent":"\\u0030${PARENT.slice(1)}"`), taken],
    ['no string', inMeta('"traceparent":1'), undefined],
    ['an object', inMeta(`"traceparent":{"traceparent":"${PARENT}"}`), undefined],
    ['too long to be one', inMeta(`"traceparent":"${'x'.repeat(5000)}"`), undefined],
    ['in the arguments', inMeta('', `,"arguments":{"traceparent":"${PARENT}"}`), undefined],
    [
      'in the parameters',
      `{"jsonrpc":"2.0","id":1,"method":"x","params":{"traceparent":"${PARENT}"}}`,
      undefined,
    ],
    ['inside a string', inMeta(`"a":"\\"traceparent\\":\\"${PARENT}\\""`), undefined],
    ['nothing', '{"jsonrpc":"2.0","id":1,"method":"x"}', undefined],
  ])('%s', (_name, body, context) => {
    expect(contextIn(aRequest(body))).toEqual(context)
  })
})

describe('injection', () => {
  const context = { traceId: 'a'.repeat(32), spanId: 'c'.repeat(16), flags: 0, state: undefined }
  const OURS = `"traceparent":"00-${context.traceId}-${context.spanId}-00"`
  const call = (params: string): string =>
    `{ "jsonrpc":"2.0", "method":"m" ,"id":1.0${params === '' ? '' : `, "params" : ${params}`} } `
  const injected = (body: string, state?: string): string => {
    const request = aRequest(body)
    const edits = injection(request, { ...context, state })
    return Buffer.from(rewrite(request.text, edits), 'latin1').toString()
  }

  test.each([
    [
      'in place',
      `{"a":[1.0 ],"_meta":{"x":1 , "traceparent" : "old" ,"y":2}}`,
      `{"a":[1.0 ],"_meta":{"x":1 , "traceparent" : ${OURS.slice(14)} ,"y":2}}`,
    ],
    [
      'in the place of what is no string',
      '{"_meta":{"traceparent":{"x":1}}}',
      `{"_meta":{${OURS}}}`,
    ],
    ['into _meta', '{"_meta":{ "é":"ü" }}', `{"_meta":{${OURS}, "é":"ü" }}`],
    ['into an empty _meta', '{"_meta": { }}', `{"_meta": {${OURS} }}`],
    ['into parameters', '{ "name":"x"}', `{"_meta":{${OURS}}, "name":"x"}`],
    ['into empty parameters', '{}', `{"_meta":{${OURS}}}`],
    [
      'and takes back what belonged to another context',
      '{"_meta":{"traceparent":"old","tracestate":"a=b"}}',
      `{"_meta":{${OURS},"tracestate":""}}`,
    ],
  ])('%s', (_name, params, expected) => {
    expect(injected(call(params))).toBe(call(expected))
  })

  test('with parameters where there are none', () => {
    expect(injected(call(''))).toBe(call('').replace(/} $/, `,"params":{"_meta":{${OURS}}}} `))
  })

  test.each([
    ['stays as it was written', '{"_meta":{"tracestate":"\\u0061=b"}}', '"tracestate":"\\u0061=b"'],
    ['is inserted beside ours', '{"_meta":{}}', `${OURS},"tracestate":"a=b"`],
    ['replaces another', '{"_meta":{"tracestate":1}}', `"tracestate":"a=b"`],
  ])('a tracestate %s', (_name, params, expected) => {
    expect(injected(call(params), 'a=b')).toContain(expected)
  })

  test('what stands in a tracestate is written as JSON', () => {
    const text = injected(call('{}'), 'a="\\')
    expect(JSON.parse(text)).toMatchObject({ params: { _meta: { tracestate: 'a="\\' } } })
  })

  test('goes together with the edits of id and token', () => {
    const request = aRequest('{"method":"m","jsonrpc":"2.0","id":7}')
    const edits = [{ ...request.id, text: '42' }, ...injection(request, context)]
    expect(rewrite(request.text, edits)).toBe(
      `{"method":"m","jsonrpc":"2.0","id":42,"params":{"_meta":{${OURS}}}}`,
    )
  })
})

test.each([
  ['a root that is recorded', true, undefined, '01'],
  ['a root that is not', false, undefined, '00'],
  ['a recorded child', true, 0x01, '01'],
  ['a child that is not', false, 0x00, '00'],
  ['a child of a trace whose id is random', true, 0x03, '03'],
  ['flags that we do not know', false, 0xfc, '00'],
])('flags of %s', (_name, isRecorded, parent, flags) => {
  const above = parent === undefined ? undefined : { ...taken, flags: parent }
  const own = { ...taken, flags: flagsOf(isRecorded, above) }
  expect(traceparent(own)).toBe(`00-${TRACE}-${SPAN}-${flags}`)
  expect(isSampled(own)).toBe(isRecorded)
})
