// What spans have in common is one object for all that say the same, and never another's.

import { expect, test } from '@jest/globals'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { SharedAttributes } from '../../../../sidecar/telemetry/shared-attributes.ts'
import type { Shared } from '../../../../sidecar/telemetry/trace.ts'
import { aReply } from '../../../support/fake-reply.ts'
import { collectedAttributes } from '../../../support/fake-spans.ts'
import { aRequest } from '../../../support/messages.ts'

const call = (name: string, meta: object = {}) =>
  aRequest(
    JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, _meta: meta } }),
  )

const exchangeOf = (headers: Readonly<Record<string, string>> = {}, port = 1) => {
  const socket = new Socket()
  Object.defineProperties(socket, { remoteAddress: { value: '::1' }, remotePort: { value: port } })
  const request = new IncomingMessage(socket)
  request.httpVersion = '1.1'
  Object.assign(request.headers, headers)
  return { request, reply: aReply().reply, arrivedMs: 0 }
}

const inBytes = (shared: Shared) => collectedAttributes({ shared, attributes: {} })

const plain = new SharedAttributes((attributes) => attributes)
const SESSION = { 'mcp-session-id': 'session' }

test('calls of one tool by one connection have the same, whatever their ids and arguments', () => {
  const one = plain.received(exchangeOf(SESSION), call('echo'), 'legacy')
  expect(plain.received(exchangeOf(SESSION), call('echo', { a: 1 }), 'legacy')).toBe(one)
  expect(plain.sent(call('echo'), 8080)).toBe(plain.sent(call('echo', { a: 1 }), 8080))
  expect([one.name, one.count]).toEqual(['tools/call echo', Object.keys(inBytes(one)).length])
})

test.each([
  ['another tool', exchangeOf(SESSION), call('other'), 'legacy'],
  ['another session', exchangeOf({ 'mcp-session-id': 'other' }), call('echo'), 'legacy'],
  ['another connection', exchangeOf(SESSION, 2), call('echo'), 'legacy'],
  [
    'another revision',
    exchangeOf({ ...SESSION, 'mcp-protocol-version': 'x' }),
    call('echo'),
    'legacy',
  ],
  ['no session', exchangeOf(SESSION), call('echo'), 'modern'],
  [
    'a tool that is named as JSON would go on',
    exchangeOf(),
    call('echo","port":1,"x":"'),
    'modern',
  ],
] as const)('%s has its own', (_what, exchange, message, era) => {
  const usual = plain.received(exchangeOf(SESSION), call('echo'), 'legacy')
  const own = plain.received(exchange, message, era)
  expect(inBytes(own)).not.toEqual(inBytes(usual))
  expect(own.bytes).not.toEqual(usual.bytes)
})

test('servers at other ports, and on a pipe, have their own', () => {
  const ports = [undefined, 1, 2].map((port) => inBytes(plain.sent(call('echo'), port)))
  expect(new Set(ports.map((one) => JSON.stringify(one))).size).toBe(3)
})

test('under the names that are wanted, as bytes too', () => {
  const named = new SharedAttributes((attributes) => ({ ...attributes, more: 'as well' }))
  const shared = named.sent(call('echo'), undefined)
  const attributes = inBytes(shared)
  expect(attributes).toMatchObject({ 'gen_ai.tool.name': 'echo', more: 'as well' })
  expect(Buffer.from(shared.bytes).includes('as well')).toBe(true)
  expect(shared.count).toBe(Object.keys(attributes).length)
})
