// What records say of callers, messages and where they came from: JSON by the schema, whatever somebody else has written.

import { describe, expect, test } from '@jest/globals'
import { recordSchema } from '../../../../shared/audit/record.ts'
import { Chain } from '../../../../shared/audit/chain.ts'
import { verifiedPrincipal } from '../../../../sidecar/access/principal.ts'
import { Descriptions, reservedFor } from '../../../../sidecar/audit/described.ts'
import { anExchange } from '../../../support/fake-exchange.ts'
import { aMessage } from '../../../support/messages.ts'
import { permitOf, permitWith } from '../../../support/principals.ts'

/** It ends the string, the record and the line, and turns a terminal around. */
const HOSTILE = 'a"}\\\n{"b":\u202e\u001b[31m é😀'
const TOKEN = 'ghp_aaaaaaaaaaaaaaaaaaaaaaaa'
const HOSTILE_LATIN1 = Buffer.from('a"}\\ \u0085é').toString('latin1')

const described = new Descriptions()

const parsed = (event: string, said: string): unknown => {
  const line = new Chain({ instance: 'one', server: 's', prev: '' }).line(
    `"event":"${event}"${said}`,
    0,
  )
  expect(line.slice(0, -1)).not.toMatch(/[\n\u001b\u0085\u202e]/)
  return recordSchema.parse(JSON.parse(line))
}

describe('a message', () => {
  const rpc = (more: object): string => JSON.stringify({ jsonrpc: '2.0', ...more })

  test.each<[string, string, object]>([
    [
      'a call by number',
      rpc({ id: 7, method: 'tools/call', params: { name: 'echo' } }),
      { id: '7', method: 'tools/call', tool: 'echo' },
    ],
    ['an id with a point', '{"jsonrpc":"2.0","id":1.50,"method":"ping"}', { id: '1.50' }],
    ['an id in quotes', rpc({ id: 'ab', method: 'ping' }), { id: '"ab"', method: 'ping' }],
    [
      'an id of hostile letters',
      rpc({ id: HOSTILE, method: 'ping' }),
      { id: JSON.stringify(HOSTILE) },
    ],
    [
      'an id with a secret, however it is written',
      '{"jsonrpc":"2.0","id":"gh\\u0070_aaaaaaaaaaaaaaaaaaaaaaaa","method":"ping"}',
      { id: '"[removed]"' },
    ],
    [
      'an id of a clock, which is no card',
      rpc({ id: 1_767_225_600_004, method: 'ping' }),
      { id: '1767225600004' },
    ],
    [
      'an id by chance, to the letter',
      '{"jsonrpc":"2.0","id":"\\u0035f0c7a52-5c0f-4a57-9d0a-0d9d6a2f1a11","method":"ping"}',
      { id: '"\\u0035f0c7a52-5c0f-4a57-9d0a-0d9d6a2f1a11"' },
    ],
    ['a method with a secret', rpc({ id: 1, method: `x/${TOKEN}` }), { method: 'x/[removed]' }],
    ['a hostile method', rpc({ id: 1, method: 'a"},{"b\\' }), { method: 'a"},{"b\\' }],
    [
      'a hostile tool',
      rpc({ id: 1, method: 'tools/call', params: { name: HOSTILE } }),
      { tool: HOSTILE },
    ],
    ['a prompt', rpc({ id: 1, method: 'prompts/get', params: { name: 'p' } }), { prompt: 'p' }],
    [
      'a resource with a password',
      rpc({ id: 1, method: 'resources/read', params: { uri: 'db://u:password@h' } }),
      { resource: 'db://u:[removed]@h' },
    ],
    ['a notification', rpc({ method: 'notifications/x' }), { method: 'notifications/x' }],
    ['an answer', rpc({ id: 3, result: {} }), { id: '3', method: 'response' }],
    ['an answer to nothing', rpc({ id: null, error: { code: 1, message: '' } }), {}],
  ])('%s', (_name, body, said) => {
    const message = aMessage(body)
    const caller = described.caller({ key: 'p' })
    const twice = [1, 2].map(() => parsed('notification', caller + described.message(message)))
    expect(twice[0]).toMatchObject({ message: { bytes: Buffer.byteLength(body), ...said } })
    expect(twice[1]).toEqual(twice[0])
  })
})

test('a caller, as it has been verified, and none', () => {
  const identity = {
    issuer: 'https://id.example',
    subject: HOSTILE,
    client: 'desk',
    scopes: [],
    groups: [],
    actors: [{ issuer: undefined, subject: 'planner' }],
  }
  const said = (principal: Parameters<typeof described.caller>[0]): unknown =>
    parsed('session-end', `${described.caller(principal)},"session":"s","reason":"client"`)
  const alice = verifiedPrincipal(identity)
  const bob = verifiedPrincipal({ ...identity, subject: 'bob' })
  const caller = {
    by: 'token',
    issuer: 'https://id.example',
    subject: HOSTILE,
    client: 'desk',
    actors: [{ subject: 'planner' }],
  }
  for (const _ of [1, 2]) {
    expect(said(alice)).toMatchObject({ caller })
    expect(said(bob)).toMatchObject({ caller: { ...caller, subject: 'bob' } })
    expect(said({ key: 'p' })).toMatchObject({ caller: { by: 'nobody' } })
  }
})

describe('callers with long names are as many on record', () => {
  const LONG = `spiffe://cluster.example/${'ns/'.repeat(400)}`
  const identity = { issuer: 'i', subject: 's', client: 'c', scopes: [], groups: [], actors: [] }
  const said = (more: object): string =>
    described.caller(verifiedPrincipal({ ...identity, ...more }))

  test.each<[string, (name: string) => object]>([
    ['issuers', (issuer) => ({ issuer })],
    ['subjects', (subject) => ({ subject })],
    ['clients', (client) => ({ client })],
    ['actors', (subject) => ({ actors: [{ issuer: undefined, subject }] })],
    ['their issuers', (issuer) => ({ actors: [{ issuer, subject: 's' }] })],
    ['certificates', (subject) => ({ by: 'certificate', subject })],
  ])('%s', (_what, named) => {
    const whole = `spiffe://cluster.example/${'ns/'.repeat(300)}a`
    expect(said(named(whole))).toContain(`"${whole}"`)
    const [one, other] = [said(named(`${LONG}a`)), said(named(`${LONG}b`))]
    expect(one).not.toBe(other)
    expect(one).toContain(`"${LONG.slice(0, 1024)}[cut: sha256 `)
    expect(one.length).toBeLessThan(1300)
    parsed('session-end', `${one},"session":"s","reason":"client"`)
  })
})

test.each([
  ['short names are in it', 100, 4096],
  ['long ones take more', 10_000, 4096 + 10_000 - 512],
])('room for a record: %s', (_what, bytes, room) => {
  expect(reservedFor('x'.repeat(bytes))).toBe(room)
})

const granted = permitWith('p', {})

test.each([
  ['without a policy', permitOf('p'), undefined],
  ['where no rule had to allow it', granted, { roles: [] }],
  [
    'by a rule, with roles',
    {
      ...granted,
      granted: granted.granted && { ...granted.granted, rule: HOSTILE, roles: ['a', HOSTILE] },
    },
    { rule: HOSTILE, roles: ['a', HOSTILE] },
  ],
])('a decision: %s', (_name, permit, decision) => {
  const message = described.message(aMessage('{"jsonrpc":"2.0","id":1,"method":"ping"}'))
  const caller = described.caller({ key: 'p' })
  const said = parsed('attempt', `,"call":1${caller}${message}${described.decision(permit)}`)
  expect(Object(said).decision).toEqual(decision)
})

describe('where it came from', () => {
  const denial = ',"fault":"denied","status":403'
  const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const ids = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' }
  const clientInfo = { name: HOSTILE, version: '2' }

  test.each<[string, Readonly<Record<string, string>>, object, object]>([
    ['nothing is known', {}, {}, {}],
    [
      'a session, by its beginning',
      { 'mcp-session-id': 'abcdefghijkl' },
      {},
      { session: 'abcdefgh' },
    ],
    [
      'a hostile session and client',
      { 'mcp-session-id': HOSTILE_LATIN1, 'user-agent': HOSTILE_LATIN1 },
      {},
      { session: HOSTILE_LATIN1.slice(0, 8), asserted: { userAgent: HOSTILE_LATIN1 } },
    ],
    ['a trace of the client’s', { traceparent: PARENT }, {}, { asserted: ids }],
    [
      'all that a client says',
      { 'user-agent': 'agent/1', baggage: 'workflow=header' },
      { clientInfo, _meta: { baggage: 'workflow=nightly' } },
      {
        asserted: {
          userAgent: 'agent/1',
          client: `${HOSTILE}/2`,
          baggage: 'workflow=nightly',
        },
      },
    ],
    ['a client without a name', {}, { clientInfo: { version: '2' } }, {}],
  ])('%s', (_name, headers, params, said) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })
    const { exchange } = anExchange(headers)
    const context = (): unknown =>
      parsed('denial', denial + described.context(exchange, aMessage(body)))
    const { session, asserted } = Object(context())
    expect({ session, asserted }).toEqual({ session: undefined, asserted: undefined, ...said })
    expect(context()).toEqual(context())
  })

  test('where another replica has taken it from, of each on one connection of that replica', () => {
    const { exchange } = anExchange({ 'user-agent': 'client/1' })
    const addressOf = (from?: string): unknown =>
      Object(parsed('denial', denial + described.context({ ...exchange, from }, undefined))).address
    expect(addressOf('10.0.0.8')).toBe('10.0.0.8')
    expect(addressOf('10.0.0.9')).toBe('10.0.0.9')
    expect(addressOf()).toBeUndefined()
  })

  test('a trace of ours, and not what the client says of its own', () => {
    const { exchange } = anExchange({ traceparent: PARENT })
    const context = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), flags: 0, state: undefined }
    const trace = { context, send: () => ({ context, end: () => undefined }) }
    const said = parsed('denial', denial + described.context(exchange, undefined, trace))
    expect(said).toMatchObject({ traceId: context.traceId, spanId: context.spanId })
    expect(said).not.toHaveProperty('asserted')
  })

  test('each request of a connection by what it says itself, whatever the one before said', () => {
    const { exchange } = anExchange()
    const { request } = exchange
    const traced = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), flags: 0, state: undefined }
    const trace = { context: traced, send: () => ({ context: traced, end: () => undefined }) }
    const says: readonly (readonly [Record<string, string>, boolean])[] = [
      [{ 'mcp-session-id': 'one-one-one' }, false],
      [{ 'mcp-session-id': 'two-two-two' }, false],
      [{ 'mcp-session-id': 'two-two-two', 'user-agent': 'x' }, false],
      [{ 'mcp-session-id': 'two-two-two', 'user-agent': 'x' }, true],
      [{ 'user-agent': 'y', baggage: 'workflow=z' }, false],
      [{ 'user-agent': 'y'.repeat(600) }, false],
      [{ 'user-agent': 'y' }, false],
      [{ traceparent: PARENT }, false],
      [{}, true],
      [{}, false],
      [{ 'mcp-session-id': 'one-one-one' }, false],
    ]
    for (const [headers, isTraced] of [...says, ...says]) {
      request.headers = headers
      const own = anExchange(headers).exchange
      const message = aMessage('{"jsonrpc":"2.0","id":1,"method":"ping"}')
      const found = described.context(exchange, message, isTraced ? trace : undefined)
      expect(found).toBe(new Descriptions().context(own, message, isTraced ? trace : undefined))
    }
  })
})
