// The head of a request: methods, media types, and headers that came twice.

import { describe, expect, test } from '@jest/globals'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { headFault } from '../../../../sidecar/pipeline/head.ts'

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
    ['both', 'application/json, text/event-stream', 'passes'],
    [
      'both, turned round, with weights',
      'text/event-stream;q=0.9,application/json;q=1.0',
      'passes',
    ],
    ['upper case', 'APPLICATION/JSON, Text/Event-Stream', 'passes'],
    ['anything', '*/*', 'passes'],
    ['ranges', 'application/*, text/*', 'passes'],
    ['JSON alone', 'application/json', 'not-acceptable'],
    ['event streams alone', 'text/event-stream', 'not-acceptable'],
    ['one refused by its weight', 'application/json, text/event-stream;q=0', 'not-acceptable'],
    [
      'one refused by a long weight',
      'application/json;q=0.000, text/event-stream',
      'not-acceptable',
    ],
    ['something like it', 'application/json-patch, text/event-stream', 'not-acceptable'],
    ['empty', '', 'not-acceptable'],
  ])('%s', (_name, accept, expected) => {
    expect(outcome('POST', [['Accept', accept], TYPE])).toBe(expected)
  })

  test('absent', () => {
    expect(outcome('POST', [TYPE])).toBe('not-acceptable')
    expect(outcome('GET', [])).toBe('not-acceptable')
  })
})

describe('Content-Type', () => {
  test.each([
    ['plain', 'application/json', 'passes'],
    ['with its charset', 'application/json; charset=utf-8', 'passes'],
    ['quoted, in upper case', 'Application/JSON;charset="UTF-8"', 'passes'],
    ['another charset', 'application/json; charset=utf-16', 'media-type'],
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
    ['identity', 'Content-Encoding', 'identity', 'media-type'],
    ['chunked', 'Transfer-Encoding', 'Chunked', 'passes'],
    ['gzip in chunks', 'Transfer-Encoding', 'gzip, chunked', 'media-type'],
  ])('%s', (_name, header, value, expected) => {
    expect(outcome('POST', [ACCEPT, TYPE, [header, value]])).toBe(expected)
  })
})

describe('headers that came twice', () => {
  test.each([
    ['Content-Type', 'invalid-request'],
    ['Content-Length', 'invalid-request'],
    ['Transfer-Encoding', 'invalid-request'],
    ['Authorization', 'invalid-request'],
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
