// The headers of requests to a modern server over HTTP, in a legacy client's stead: what they mirror, and whose own go on.

import { describe, expect, test } from '@jest/globals'
import { decodeHeader, encodeHeader } from '../../../../sidecar/mcp/header-value.ts'
import { mirroredHeaders, paramHeaders } from '../../../../sidecar/mcp/param-headers.ts'
import { EmulatedServer } from '../../../support/emulated-server.ts'

const open = (): Promise<EmulatedServer> => EmulatedServer.opened({}, {}, { isHttp: true })
const SCHEMA = {
  type: 'object',
  properties: {
    region: { type: 'string', 'x-mcp-header': 'Region' },
    count: { type: 'integer', 'x-mcp-header': 'Count' },
    at: { type: 'object', properties: { ok: { type: 'boolean', 'x-mcp-header': 'Ok' } } },
  },
}

const headersOf = (all: EmulatedServer): unknown => all.envelopes.at(-1)?.headers()

describe('a value in a header', () => {
  test.each([
    'plain',
    'with space',
    'Grüße',
    ' edge',
    'edge ',
    '',
    '=?base64?eA==?=',
    'a\nb',
    '\t',
  ])('comes back as it was: %j', (text) => {
    const value = encodeHeader(text)
    expect(value).toMatch(/^[\x21-\x7e]?(?:[\t\x20-\x7e]*[\x21-\x7e])?$/)
    expect(decodeHeader(value)).toBe(text)
  })

  test('of an argument is there where that is', () => {
    const declared = paramHeaders(SCHEMA)
    const args = { region: 'eu-ö', count: 3, at: { ok: false } }
    expect(mirroredHeaders(declared, args)).toEqual({
      'mcp-param-region': '=?base64?ZXUtw7Y=?=',
      'mcp-param-count': '3',
      'mcp-param-ok': 'false',
    })
    expect(mirroredHeaders(declared, { region: null, count: {} })).toEqual({})
    expect(mirroredHeaders(declared, undefined)).toEqual({})
  })
})

test('a request says in its head what its body does, beside its caller’s own', async () => {
  const all = await open()
  all.ask('resources/read', { uri: 'a:ü' }, () => ({ authorization: 'Bearer x' }))
  expect(headersOf(all)).toEqual({
    authorization: 'Bearer x',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'resources/read',
    'mcp-name': '=?base64?YTrDvA==?=',
  })
})

test('a call asks first what the tool mirrors, and mirrors it', async () => {
  const all = await open()
  const told = all.ask('tools/call', { name: 'x', arguments: { region: 'eu' } })
  expect(all.methods().slice(1)).toEqual(['tools/list'])
  expect(headersOf(all)).toMatchObject({ 'mcp-method': 'tools/list' })
  await all.answers('tools/list', {
    resultType: 'complete',
    tools: [{ name: 'x', inputSchema: SCHEMA }],
    ttlMs: 60_000,
  })
  expect(headersOf(all)).toEqual({
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': 'x',
    'mcp-param-region': 'eu',
  })
  await all.answers('tools/call', { resultType: 'complete', content: [] })
  expect(told.body['result']).toEqual({ content: [] })
  // It is known now.
  all.ask('tools/call', { name: 'x', arguments: {} })
  expect(all.methods().slice(1)).toEqual(['tools/list', 'tools/call', 'tools/call'])
})

test.each(['-32020', '-32020.0', '-3.202e4'])(
  'a call whose headers the server refuses, by %s, has the next one ask anew',
  async (code) => {
    const all = await open()
    const tools = { tools: [{ name: 'x', inputSchema: SCHEMA }], ttlMs: 60_000 }
    const told = all.ask('tools/call', { name: 'x' })
    await all.answers('tools/list', tools)
    const id = String(all.last('tools/call')['id'])
    all.link.says(`{"jsonrpc":"2.0","id":${id},"error":{"code":${code},"message":"no"}}`)
    await all.settle()
    expect(told.body['error']).toMatchObject({ code: -32_603 })
    all.ask('tools/call', { name: 'x' })
    expect(all.methods().slice(1)).toEqual(['tools/list', 'tools/call', 'tools/list'])
  },
)

test('a call that is given up meanwhile is not sent', async () => {
  const all = await open()
  const told = all.ask('tools/call', { name: 'x' })
  if (told.call) all.channel.cancel(told.call, 'disconnected')
  await all.answers('tools/list', { tools: [] })
  expect(all.methods()).not.toContain('tools/call')
})

test('a call fails where that cannot be known', async () => {
  const all = await open()
  const told = all.ask('tools/call', { name: 'x' })
  all.nowMs += 20_000
  all.channel.sweep(all.nowMs)
  await all.settle()
  expect(told.faults).toMatchObject([{ code: 'server-failed' }])
})

test('a server that wants its caller’s own credentials says so to the caller', () => {
  const all = new EmulatedServer({ isHttp: true })
  const told = all.ask('initialize', { capabilities: {} })
  const id = Number(all.last('server/discover')['id'])
  all.link.owner?.failed(id, 'HTTP 401', { status: 401, challenge: 'Bearer' })
  expect(told.faults).toMatchObject([
    { code: 'server-unauthorized', headers: { 'www-authenticate': 'Bearer' } },
  ])
})
