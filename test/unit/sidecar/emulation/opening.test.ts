// How a session opens before a modern server, and what of a legacy client's requests never gets to it.

import { describe, expect, test } from '@jest/globals'
import { EmulatedServer } from '../../../support/emulated-server.ts'

const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion'
const CLIENT_KEY = 'io.modelcontextprotocol/clientInfo'
const CAPABILITIES_KEY = 'io.modelcontextprotocol/clientCapabilities'
const LEVEL_KEY = 'io.modelcontextprotocol/logLevel'

describe('initialize', () => {
  test('asks the server who it is, in the client’s name, and is answered by that', async () => {
    const all = new EmulatedServer()
    const told = await all.open({ elicitation: {} })
    expect(all.methods()).toEqual(['server/discover', 'subscriptions/listen'])
    expect(all.last('server/discover')).toMatchObject({
      params: {
        _meta: {
          [VERSION_KEY]: '2026-07-28',
          [CAPABILITIES_KEY]: { elicitation: {} },
          [CLIENT_KEY]: { name: 'old', version: '1' },
        },
      },
    })
    expect(told.body).toEqual({
      jsonrpc: '2.0',
      id: 'mine',
      result: {
        protocolVersion: '2025-11-25',
        capabilities: { tools: { listChanged: true }, resources: { subscribe: true }, logging: {} },
        serverInfo: { name: 'new', version: '2' },
      },
    })
  })

  test.each([
    ['2024-11-05', '2024-11-05'],
    ['2025-06-18', '2025-06-18'],
    ['2026-07-28', '2025-11-25'],
    ['1999-01-01', '2025-11-25'],
  ])('a client that asks for %s gets %s', async (asked, got) => {
    const told = await new EmulatedServer().open({}, {}, asked)
    expect(told.body['result']).toMatchObject({ protocolVersion: got })
  })

  test('promises no tasks, whose results nobody could read', async () => {
    const extensions = { 'io.modelcontextprotocol/tasks': {}, 'a/b': { of: 1 } }
    const told = await new EmulatedServer().open({}, { extensions })
    expect(told.body['result']).toMatchObject({
      capabilities: { extensions: { 'a/b': { of: 1 } } },
    })
    expect(JSON.stringify(told.body)).not.toContain('tasks')
  })

  test('of a server that does not say who it is has a name all the same', async () => {
    const all = new EmulatedServer()
    const told = all.ask('initialize', { protocolVersion: '2025-11-25', capabilities: {} })
    await all.answers('server/discover', { supportedVersions: ['2026-07-28'], capabilities: {} })
    expect(told.body['result']).toMatchObject({ serverInfo: { name: 'unnamed', version: '0' } })
  })

  test.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['no versions', {}, 'no supportedVersions'],
    ['other versions', { supportedVersions: ['2027-01-01'] }, 'lack 2026-07-28'],
    ['a capability list', { supportedVersions: ['2026-07-28'], capabilities: [] }, 'other types'],
  ])('is a fault where the server says %s', async (_name, result, why) => {
    const all = new EmulatedServer()
    const told = all.ask('initialize', { capabilities: {} })
    await all.answers('server/discover', result)
    expect(told.faults).toMatchObject([{ code: 'server-failed' }])
    expect(told.faults[0]?.message).toContain(why)
  })

  test('is a fault where the server refuses to say', async () => {
    const all = new EmulatedServer()
    const told = all.ask('initialize', { capabilities: {} })
    await all.refuses('server/discover', -32_603, 'out of order')
    expect(told.faults[0]?.message).toContain('out of order')
  })

  test('is a fault where it says twice what it is', async () => {
    const all = new EmulatedServer()
    const told = all.ask('initialize', { capabilities: {} })
    const { id } = all.last('server/discover')
    const result =
      '{"supportedVersions":["2026-07-28"],"capabilities":{"a":{"b":1,"b":2}},"resultType":"complete"}'
    all.link.writes(`{"jsonrpc":"2.0","id":${String(id)},"result":${result}}`)
    await all.settle()
    expect(told.faults[0]?.message).toContain('twice')
  })

  test('of a client that says too much of itself gets nowhere: it would go with each request', () => {
    const all = new EmulatedServer()
    const told = all.ask('initialize', { capabilities: { a: 'x'.repeat(20_000) } })
    expect(told.faults).toMatchObject([{ code: 'invalid-params' }])
    expect(all.link.sent).toEqual([])
  })

  test('of a client that says much of who it is says its name and version', () => {
    const all = new EmulatedServer()
    const clientInfo = { name: 'grün', version: '1', icons: [{ src: 'x'.repeat(9000) }] }
    all.ask('initialize', { capabilities: {}, clientInfo })
    expect(all.last('server/discover')).toMatchObject({
      params: { _meta: { [CLIENT_KEY]: { name: 'grün', version: '1' } } },
    })
    expect(all.link.sent[0]).not.toContain('icons')
  })

  test('that nobody waits for any more is nobody’s, whatever the server says then', async () => {
    const all = new EmulatedServer()
    const told = all.ask('initialize', { capabilities: {} })
    if (told.call) all.channel.cancel(told.call, 'disconnected')
    await all.answers('server/discover', { supportedVersions: ['2026-07-28'] })
    expect([told.texts, told.faults]).toEqual([[], []])
    expect(all.link.abandoned).toHaveLength(1)
  })
})

describe('a session', () => {
  test('is asked whether it is there, and says so itself', async () => {
    const all = await EmulatedServer.opened()
    const told = all.ask('ping')
    await all.settle()
    expect(told.body['result']).toEqual({})
    expect(all.methods()).not.toContain('ping')
  })

  test('sets how much its server logs, in each request from then on', async () => {
    const all = await EmulatedServer.opened()
    all.ask('tools/call', { name: 'x' })
    expect(all.last('tools/call')).toMatchObject({ params: { _meta: { [LEVEL_KEY]: 'info' } } })
    const told = all.ask('logging/setLevel', { level: 'error' })
    await all.settle()
    expect(told.body['result']).toEqual({})
    all.ask('tools/call', { name: 'x' })
    expect(all.last('tools/call')).toMatchObject({ params: { _meta: { [LEVEL_KEY]: 'error' } } })
    expect(all.methods()).not.toContain('logging/setLevel')
  })

  test('of a server that does not log asks for no log lines', async () => {
    const all = await EmulatedServer.opened({}, { tools: {} })
    all.ask('tools/call', { name: 'x' })
    expect(JSON.stringify(all.last('tools/call'))).not.toContain(LEVEL_KEY)
  })

  test.each<[string, Readonly<Record<string, unknown>>, number]>([
    ['logging/setLevel', { level: 'loud' }, -32_602],
    ['resources/subscribe', {}, -32_602],
    ['server/discover', {}, -32_601],
    ['subscriptions/listen', { notifications: {} }, -32_601],
    ['tasks/get', { taskId: 'x' }, -32_601],
    ['tools/call', { name: 'x', inputResponses: {} }, -32_602],
    ['prompts/get', { name: 'x', requestState: 'x' }, -32_602],
  ])('is refused %s %j', async (method, params, code) => {
    const all = await EmulatedServer.opened()
    const before = all.link.sent.length
    const told = all.ask(method, params)
    await all.settle()
    expect(told.body['error']).toMatchObject({ code })
    expect(all.link.sent).toHaveLength(before)
  })

  test.each(['logging/setLevel', 'resources/subscribe', 'resources/unsubscribe'])(
    'is refused %s where the server has none',
    async (method) => {
      const all = await EmulatedServer.opened({}, {})
      const told = all.ask(method, { level: 'info', uri: 'a:b' })
      await all.settle()
      expect(told.body['error']).toMatchObject({ code: -32_601 })
    },
  )

  test.each(['notifications/initialized', 'notifications/roots/list_changed'])(
    'keeps %s to itself',
    async (method) => {
      const all = await EmulatedServer.opened()
      const before = all.link.sent.length
      all.channel.send(JSON.stringify({ jsonrpc: '2.0', method }))
      expect(all.link.sent).toHaveLength(before)
    },
  )
})
