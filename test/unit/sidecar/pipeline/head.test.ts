// The head of a request: methods, media types, and headers that came twice.

import { describe, expect, test } from '@jest/globals'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { head, headFault } from '../../../../sidecar/pipeline/head.ts'
import type { Tolerance } from '../../../../sidecar/mcp/tolerance.ts'
import { aPassage } from '../../../support/fake-exchange.ts'
import { keptRemarks } from '../../../support/kept-remarks.ts'

type Pairs = readonly (readonly [string, string])[]

/** The message that node makes of these headers, by its own rules of joining and dropping. */
const message = (method: string, pairs: Pairs): IncomingMessage => {
  const request = new IncomingMessage(new Socket())
  request.method = method
  request.rawHeaders = pairs.flat()
  for (const [name, value] of pairs) {
    const key = name.toLowerCase()
    const first = request.headers[key]
    const isDropped = ['content-type', 'authorization', 'host', 'content-length'].includes(key)
    if (first === undefined) request.headers[key] = value
    else if (!isDropped) request.headers[key] = `${String(first)}, ${value}`
  }
  return request
}

const outcome = (method: string, pairs: Pairs): string =>
  headFault(message(method, pairs))?.code ?? 'passes'

const ACCEPT = ['Accept', 'application/json, text/event-stream'] as const
const TYPE = ['Content-Type', 'application/json'] as const

describe('methods', () => {
  test.each([
    ['POST', [ACCEPT, TYPE], 'passes'],
    ['GET', [ACCEPT], 'passes'],
    ['DELETE', [], 'passes'],
    ['HEAD', [], 'method-not-allowed'],
    ['PUT', [ACCEPT, TYPE], 'method-not-allowed'],
    ['OPTIONS', [], 'method-not-allowed'],
    ['TRACE', [], 'method-not-allowed'],
  ] satisfies (readonly [string, Pairs, string])[])('%s', (method, pairs, expected) => {
    expect(outcome(method, pairs)).toBe(expected)
  })

  test.each([
    ['GET with a length', 'GET', [ACCEPT, ['Content-Length', '2']]],
    ['DELETE in chunks', 'DELETE', [['Transfer-Encoding', 'chunked']]],
  ] satisfies (readonly [string, string, Pairs])[])('%s', (_name, method, pairs) => {
    expect(outcome(method, pairs)).toBe('invalid-request')
  })

  test('GET with a length of zero', () => {
    expect(outcome('GET', [ACCEPT, ['Content-Length', '0']])).toBe('passes')
  })
})

describe('Accept', () => {
  test.each([
    ['both', 'application/json, text/event-stream', 'either'],
    [
      'both, turned round, with weights',
      'text/event-stream;q=0.9,application/json;q=1.0',
      'either',
    ],
    ['upper case', 'APPLICATION/JSON, Text/Event-Stream', 'either'],
    ['anything', '*/*', 'either'],
    ['ranges', 'application/*, text/*', 'either'],
    ['absent', undefined, 'either'],
    ['empty', '', 'either'],
    ['JSON alone', 'application/json', 'json'],
    ['JSON by its range', 'application/*', 'json'],
    ['event streams alone', 'text/event-stream', 'stream'],
    ['one refused by its weight', 'application/json, text/event-stream;q=0', 'json'],
    ['one refused by a long weight', 'application/json;q=0.000, text/event-stream', 'stream'],
    ['something like one', 'application/json-patch, text/event-stream', 'stream'],
    ['another', 'text/html', 'not-acceptable'],
    ['both refused', '*/*;q=0', 'not-acceptable'],
  ])('%s', (_name, accept, expected) => {
    const pairs: Pairs = accept === undefined ? [TYPE] : [['Accept', accept], TYPE]
    const passage = { ...aPassage(), request: message('POST', pairs) }
    const wrong = head(keptRemarks())(passage)
    const code = wrong && 'code' in wrong ? wrong.code : undefined
    expect(code ?? passage.reply.form).toBe(expected)
  })

  test.each([
    ['absent', [], 'passes'],
    ['event streams', [['Accept', 'text/event-stream']], 'passes'],
    ['JSON alone', [['Accept', 'application/json']], 'not-acceptable'],
  ] satisfies (readonly [string, Pairs, string])[])('of a GET: %s', (_name, pairs, expected) => {
    expect(outcome('GET', pairs)).toBe(expected)
  })
})

describe('what is off in form is told', () => {
  test.each([
    ['nothing', [ACCEPT, TYPE], []],
    ['a charset', [ACCEPT, ['Content-Type', 'application/json; charset=utf-8']], []],
    ['ranges that take both', [['Accept', '*/*'], TYPE], []],
    ['no Accept', [TYPE], ['accept-missing']],
    ['JSON alone', [['Accept', 'application/json'], TYPE], ['accept-json']],
    ['event streams alone', [['Accept', 'text/event-stream'], TYPE], ['accept-stream']],
    ['a parameter', [ACCEPT, ['Content-Type', 'application/json; a=b']], ['content-type']],
    ['a coding', [ACCEPT, TYPE, ['Content-Encoding', 'identity']], ['content-encoding']],
    ['a version of nothing', [ACCEPT, TYPE, ['MCP-Protocol-Version', '']], ['empty-header']],
    ['an event of nothing', [ACCEPT, TYPE, ['Last-Event-ID', '']], ['empty-header']],
    ['a session of nothing', [ACCEPT, TYPE, ['Mcp-Session-Id', '']], []],
  ] satisfies (readonly [string, Pairs, readonly Tolerance[]])[])(
    '%s',
    (_name, pairs, expected) => {
      const remarks = keptRemarks()
      void head(remarks)({ ...aPassage(), request: message('POST', pairs) })
      expect(remarks.tolerances).toEqual(expected)
    },
  )
})

test.each([['POST'], ['GET'], ['DELETE']])(
  'a header that may be empty and is counts as absent: %s',
  (method) => {
    const empty: Pairs = [
      ['MCP-Protocol-Version', ''],
      ['Last-Event-ID', ''],
    ]
    const request = message(method, [...empty, ACCEPT, TYPE])
    const remarks = keptRemarks()
    void head(remarks)({ ...aPassage(), request })
    expect(Object.keys(request.headers)).toEqual(['accept', 'content-type'])
    expect(remarks.tolerances).toEqual(['empty-header', 'empty-header'])
  },
)

describe('HTTP/1.0', () => {
  test('has no Transfer-Encoding: refused, and its connection ends', async () => {
    const request = message('POST', [ACCEPT, TYPE, ['Transfer-Encoding', 'chunked']])
    request.httpVersion = '1.0'
    const passage = { ...aPassage(), request }
    expect(head(keptRemarks())(passage)).toMatchObject({ code: 'invalid-request' })
    expect(passage.reply.keepsConnection).toBe(false)
  })
})

describe('Content-Type', () => {
  test.each([
    ['plain', 'application/json', 'passes'],
    ['with its charset', 'application/json; charset=utf-8', 'passes'],
    ['quoted, in upper case', 'Application/JSON;charset="UTF-8"', 'passes'],
    ['its other name', 'application/json; charset=utf8', 'passes'],
    ['a part of it', 'application/json; charset=us-ascii', 'passes'],
    ['a semicolon at the end', 'application/json;', 'passes'],
    ['parameters that nobody knows', 'application/json; a=b; charset=utf-8; c="d"', 'passes'],
    ['another charset', 'application/json; charset=utf-16', 'media-type'],
    ['a charset of nothing', 'application/json; charset=', 'media-type'],
    ['another charset among others', 'application/json; a=b; charset=latin1', 'media-type'],
    ['two types behind a parameter', 'application/json; a=b, text/plain', 'media-type'],
    ['two charsets', 'application/json; charset=utf-8; charset=utf-16', 'media-type'],
    ['text', 'text/plain', 'media-type'],
    ['a form', 'application/x-www-form-urlencoded', 'media-type'],
    ['something like it', 'application/jsonx', 'media-type'],
    ['two in one', 'application/json, text/plain', 'media-type'],
    ['empty', '', 'media-type'],
  ])('%s', (_name, type, expected) => {
    expect(outcome('POST', [ACCEPT, ['Content-Type', type]])).toBe(expected)
  })

  test('absent', () => {
    expect(outcome('POST', [ACCEPT])).toBe('media-type')
  })
})

describe('encodings', () => {
  test.each([
    ['gzip', 'Content-Encoding', 'gzip', 'media-type'],
    ['identity', 'Content-Encoding', 'Identity', 'passes'],
    ['two codings', 'Content-Encoding', 'identity, gzip', 'media-type'],
    ['chunked', 'Transfer-Encoding', 'Chunked', 'passes'],
    ['gzip in chunks', 'Transfer-Encoding', 'gzip, chunked', 'media-type'],
  ])('%s', (_name, header, value, expected) => {
    expect(outcome('POST', [ACCEPT, TYPE, [header, value]])).toBe(expected)
  })
})

test.each([
  ['as many headers as are read', 255, 'passes'],
  ['more than are read', 256, 'invalid-request'],
])('%s', (_name, count, expected) => {
  const others = Array.from({ length: count - 2 }, (_, index) => [`X-${index}`, 'x'] as const)
  expect(outcome('POST', [ACCEPT, TYPE, ...others])).toBe(expected)
})

describe('headers that came twice', () => {
  test.each([
    ['Content-Type', 'invalid-request'],
    ['Content-Length', 'invalid-request'],
    ['Transfer-Encoding', 'invalid-request'],
    ['Authorization', 'invalid-request'],
    ['DPoP', 'invalid-request'],
    ['Last-Event-ID', 'invalid-request'],
    ['Mcp-Session-Id', 'invalid-request'],
    ['MCP-Protocol-Version', 'invalid-request'],
    ['Mcp-Method', 'invalid-request'],
    ['Mcp-Name', 'invalid-request'],
    ['Mcp-Param-Anything', 'invalid-request'],
    ['Accept', 'passes'],
    ['X-Forwarded-For', 'passes'],
    ['__proto__', 'passes'],
  ])('%s: %s', (name, expected) => {
    const value = name === 'Accept' ? ACCEPT[1] : name === 'Content-Type' ? TYPE[1] : 'x'
    const twice: Pairs = [
      [name, value],
      [name.toLowerCase(), value],
    ]
    const others = [ACCEPT, TYPE].filter(([other]) => other !== name)
    expect(outcome('POST', [...twice, ...others])).toBe(expected)
  })
})
