// A legacy client's requests on their way through a modern server: what of them changes, what comes back, and what the server
// asks for first.

import { inspect } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { Passage, type Way } from '../../../../sidecar/emulation/passage.ts'
import { NO_HEADERS } from '../../../../sidecar/server/link.ts'
import { aBudget } from '../../../support/budgets.ts'
import { EmulatedServer } from '../../../support/emulated-server.ts'
import { aMessage, aRequest } from '../../../support/messages.ts'

const KEY = 'io.modelcontextprotocol/'
const FORM = { method: 'elicitation/create', params: { message: 'Who?', requestedSchema: {} } }
const ROOTS = { method: 'roots/list' }
const ALL = { elicitation: {}, sampling: {}, roots: {} }

const required = (inputRequests: object, requestState?: string) => ({
  resultType: 'input_required',
  inputRequests,
  ...(requestState === undefined ? {} : { requestState }),
})

describe('a request', () => {
  test.each([
    ['no parameters', '', ''],
    ['empty ones', ',"params":{}', ''],
    ['a cursor', ',"params":{"cursor":"x"}', ',"cursor":"x"}'],
    ['an empty _meta', ',"params":{"_meta":{},"cursor":"x"}', '},"cursor":"x"}'],
    [
      'a _meta of its own',
      ',"params":{ "_meta" : {"a/b":9007199254740993} }',
      ',"a/b":9007199254740993} }',
    ],
  ])('with %s bears the envelope, and is what it was besides', async (_name, params, kept) => {
    const all = await EmulatedServer.opened()
    all.askText(`{"jsonrpc":"2.0","id":"mine","method":"prompts/list"${params}}`)
    const text = all.link.sent.at(-1) ?? ''
    expect(JSON.parse(text).params._meta).toMatchObject({
      [`${KEY}protocolVersion`]: '2026-07-28',
      [`${KEY}clientCapabilities`]: {},
    })
    expect(text).toContain(kept)
  })

  test('says nothing in the protocol’s own name: what it claims gives way', async () => {
    const all = await EmulatedServer.opened({ roots: {} })
    const _meta = {
      [`${KEY}clientCapabilities`]: { sampling: {} },
      [`${KEY}logLevel`]: 'debug',
      [`${KEY}subscriptionId`]: 1,
      'a/b': 1,
    }
    all.ask('tools/call', { name: 'x', _meta })
    expect(all.last('tools/call')).toMatchObject({ params: { name: 'x' } })
    const sent = JSON.parse(all.link.sent.at(-1) ?? '').params._meta
    expect(sent).toEqual({
      [`${KEY}protocolVersion`]: '2026-07-28',
      [`${KEY}clientCapabilities`]: { roots: {} },
      [`${KEY}clientInfo`]: { name: 'old', version: '1' },
      [`${KEY}logLevel`]: 'info',
      'a/b': 1,
    })
  })

  test.each([
    ['{"resultType":"complete","content":[]}', { content: [] }],
    ['{"content":[],"resultType":"complete"}', { content: [] }],
    ['{ "ttlMs" : 5 , "a" : 1 , "cacheScope":"public", "b":2}', { a: 1, b: 2 }],
    ['{"resultType":"complete","ttlMs":1,"cacheScope":"x"}', {}],
    ['{"a":{"ttlMs":1},"isError":true}', { a: { ttlMs: 1 }, isError: true }],
    ['{"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"x"}},"a":1}', { a: 1 }],
    [
      '{"a":1,"_meta":{"io.modelcontextprotocol/serverInfo":{},"b/c":2},"resultType":"complete"}',
      { a: 1, _meta: { 'b/c': 2 } },
    ],
    ['{"_meta":{}}', { _meta: {} }],
    ['{}', {}],
  ])('that is answered %s comes back so', async (result, told) => {
    const all = await EmulatedServer.opened()
    const asked = all.ask('tools/list')
    const { id } = all.last('tools/list')
    all.link.says(`{"jsonrpc":"2.0","result":${result},"id":${String(id)}}`)
    expect(asked.body).toEqual({ jsonrpc: '2.0', id: 'mine', result: told })
  })

  test.each([
    ['{"type":"object"}', true],
    ['{ "properties" : {}, "type":"obj\\u0065ct" }', true],
    ['{"type":"array","items":{"type":"object"}}', false],
    ['{"anyOf":[{"type":"object"}]}', false],
    ['true', false],
  ])('for a list shows the schema of results %s: %s', async (schema, isShown) => {
    const all = await EmulatedServer.opened()
    const asked = all.ask('tools/list')
    const { id } = all.last('tools/list')
    const tools = `[ {"outputSchema":${schema},"name":"a"}, {"name":"ü","outputSchema":{"type":"object"}} ]`
    const result = `{"resultType":"complete","tools":${tools},"ttlMs":1}`
    all.link.says(`{"jsonrpc":"2.0","id":${String(id)},"result":${result}}`)
    const shown = isShown ? { outputSchema: JSON.parse(schema) } : {}
    expect(asked.body['result']).toEqual({
      tools: [
        { name: 'a', ...shown },
        { name: 'ü', outputSchema: { type: 'object' } },
      ],
    })
  })

  test.each([
    ['{"a":9007199254740993}', '{"a":9007199254740993}'],
    ['[9007199254740993]', '{"result":[9007199254740993]}'],
    ['"ü"', '{"result":"ü"}'],
    ['null', '{"result":null}'],
  ])('with the structured content %s has it as %s', async (said, told) => {
    const all = await EmulatedServer.opened()
    const asked = all.ask('tools/call', { name: 'x' })
    const { id } = all.last('tools/call')
    const result = `{"resultType":"complete","structuredContent":${said},"content":[]}`
    all.link.says(`{"jsonrpc":"2.0","id":${String(id)},"result":${result}}`)
    const text = Buffer.from(asked.texts[0] ?? '', 'latin1').toString()
    expect(text).toContain(`"structuredContent":${told},"content":[]`)
    expect(asked.body['id']).toBe('mine')
  })

  test('keeps every other byte of its answer', async () => {
    const all = await EmulatedServer.opened()
    const asked = all.ask('tools/list')
    const { id } = all.last('tools/list')
    const whole = '"n":9007199254740993,"f":1.0,"s":"Grüße \\u0041"'
    all.link.says(
      `{"jsonrpc":"2.0","id":${String(id)},"result":{"resultType":"complete",${whole}}}`,
    )
    expect(Buffer.from(asked.texts[0] ?? '', 'latin1').toString()).toContain(whole)
  })

  test.each([
    [-32_020, -32_603],
    [-32_021, -32_600],
    [-32_022, -32_603],
    [-32_602, -32_602],
    [-32_000, -32_000],
  ])('that fails with %d has failed with %d', async (code, told) => {
    const all = await EmulatedServer.opened()
    const asked = all.ask('tools/call', { name: 'x' })
    await all.refuses('tools/call', code, 'why')
    expect(asked.body['error']).toEqual({ code: told, message: 'why' })
  })

  test('that fails with a code in another spelling has failed with what its number means', async () => {
    const all = await EmulatedServer.opened()
    const asked = all.ask('tools/call', { name: 'x' })
    const { id } = all.last('tools/call')
    all.link.says(`{"jsonrpc":"2.0","id":${id},"error":{"code":-3.2021e4,"message":"why"}}`)
    await all.settle()
    expect(asked.body['error']).toEqual({ code: -32_600, message: 'why' })
  })

  test('hears how far it is', async () => {
    const all = await EmulatedServer.opened()
    const asked = all.ask('tools/call', { name: 'x', _meta: { progressToken: 'mine' } })
    const { progressToken } = JSON.parse(all.link.sent.at(-1) ?? '').params._meta
    await all.says({ method: 'notifications/progress', params: { progressToken, progress: 1 } })
    expect(asked.notices.map((text) => JSON.parse(text).params.progressToken)).toEqual(['mine'])
  })

  test('that is given up is so at the server, under the server’s number', async () => {
    const all = await EmulatedServer.opened()
    const asked = all.ask('tools/call', { name: 'x' })
    if (asked.call) all.channel.cancel(asked.call, 'disconnected')
    const { id } = all.last('tools/call')
    expect(all.last('notifications/cancelled')).toMatchObject({ params: { requestId: id } })
    expect(all.link.abandoned).toContain(id)
    await all.answers('tools/call', { resultType: 'complete' })
    expect(asked.texts).toEqual([])
  })

  test('is not answered by what is no answer of this era', async () => {
    const all = await EmulatedServer.opened()
    const asked = all.ask('tools/call', { name: 'x' })
    await all.answers('tools/call', { resultType: 'task', taskId: 'x' })
    expect(asked.body['error']).toMatchObject({ code: -32_603 })
  })

  test('that the server asks something of by a request of its own is not heard', async () => {
    const all = await EmulatedServer.opened(ALL)
    await all.says({ id: 1, ...FORM })
    expect(all.heard).toEqual([])
  })

  test('fails with the link, and leaves nothing behind', async () => {
    const all = await EmulatedServer.opened(ALL)
    const asked = all.ask('tools/call', { name: 'x' })
    expect(all.budget.of('calls')).toBeGreaterThan(0)
    all.link.ends({ message: 'it has gone' })
    expect(asked.faults).toMatchObject([{ code: 'server-exited' }])
    expect(all.ended?.message).toBe('it has gone')
    expect(all.budget.of('calls')).toBe(0)
  })
})

describe('input that is required', () => {
  test('is asked of the client, and goes to the server with the same request', async () => {
    const all = await EmulatedServer.opened(ALL)
    const args = { name: 'x', arguments: { n: 1 } }
    const asked = all.ask('tools/call', args)
    const first = all.last('tools/call')
    await all.answers('tools/call', required({ who: FORM, where: ROOTS }, 'st\u00e4te'))
    const questions = all.heard.flatMap((one) => (one.kind === 'request' ? [one] : []))
    expect(questions.map(({ method }) => method)).toEqual(['elicitation/create', 'roots/list'])
    expect(asked.texts).toEqual([])
    const ids = questions.map(({ text, id }) => text.slice(id.start, id.end))
    all.channel.send(`{"jsonrpc":"2.0","id":${ids[1]},"result":{"roots":[]}}`)
    expect(all.methods().filter((method) => method === 'tools/call')).toHaveLength(1)
    all.channel.send(`{"jsonrpc":"2.0","id":${ids[0]},"result":{"action":"accept"}}`)
    const second = all.last('tools/call')
    expect(second['id']).not.toBe(first['id'])
    expect(second).toMatchObject({
      params: {
        ...args,
        inputResponses: { who: { action: 'accept' }, where: { roots: [] } },
        requestState: 'st\u00e4te',
        _meta: { [`${KEY}protocolVersion`]: '2026-07-28' },
      },
    })
    await all.answers('tools/call', { resultType: 'complete', content: [] })
    expect(asked.body).toEqual({ jsonrpc: '2.0', id: 'mine', result: { content: [] } })
    expect(all.budget.of('calls')).toBe((await EmulatedServer.opened(ALL)).budget.of('calls'))
  })

  test('can be so several times, each with the state of its own', async () => {
    const all = await EmulatedServer.opened(ALL)
    const asked = all.ask('prompts/get', { name: 'x' })
    for (const state of ['one', 'two']) {
      await all.answers('prompts/get', required({ who: FORM }, state))
      await all.reply('"result":{"action":"decline"}')
      expect(all.last('prompts/get')).toMatchObject({ params: { requestState: state } })
    }
    await all.answers('prompts/get', { messages: [] })
    expect(asked.body['result']).toEqual({ messages: [] })
  })

  test('in a later round is told of, and given up, as in the first', async () => {
    const all = await EmulatedServer.opened(ALL)
    const asked = all.ask('tools/call', { name: 'x', _meta: { progressToken: 7 } })
    await all.answers('tools/call', required({ 'wër "': FORM }))
    await all.reply('"result":{"action":"accept"}')
    const { id, params } = JSON.parse(all.link.sent.at(-1) ?? '')
    expect(params.inputResponses).toEqual({ 'wër "': { action: 'accept' } })
    const { progressToken } = params._meta
    await all.says({ method: 'notifications/progress', params: { progressToken, progress: 1 } })
    expect(asked.notices.map((text) => JSON.parse(text).params.progressToken)).toEqual([7])
    if (asked.call) all.channel.cancel(asked.call, 'timeout')
    expect(all.last('notifications/cancelled')).toMatchObject({ params: { requestId: id } })
    expect(all.link.abandoned).toContain(id)
  })

  test('that is a state alone is brought at once', async () => {
    const all = await EmulatedServer.opened()
    all.ask('resources/read', { uri: 'a:b' })
    await all.answers('resources/read', { resultType: 'input_required', requestState: 's' })
    const { params } = JSON.parse(all.link.sent.at(-1) ?? '')
    expect(params).toMatchObject({ uri: 'a:b', requestState: 's' })
    expect(params).not.toHaveProperty('inputResponses')
  })

  test('has an end with a server that never has enough', async () => {
    const all = await EmulatedServer.opened()
    const asked = all.ask('tools/call', { name: 'x' })
    for (let round = 0; round < 65 && asked.texts.length === 0; round++) {
      await all.answers('tools/call', { resultType: 'input_required', requestState: 's' })
    }
    expect(asked.body['error']).toMatchObject({ message: expect.stringContaining('64') })
  })

  test.each<[string, object]>([
    ['nothing', { resultType: 'input_required' }],
    ['no object', required([])],
    ['what no client is asked', required({ a: { method: 'tools/list' } })],
    ['what the client cannot', required({ a: { method: 'sampling/createMessage', params: {} } })],
    ['no request', required({ a: 'x' })],
    ['a method that is none', required({ a: { method: 1 } })],
    ['a state that is none', { ...required({ a: FORM }), requestState: 1 }],
    [
      'too many things',
      required(
        Object.fromEntries(
          Array(17)
            .fill(0)
            .map((_, i) => [i, FORM]),
        ),
      ),
    ],
  ])('of %s ends the request', async (_name, result) => {
    const all = await EmulatedServer.opened({ elicitation: {} })
    const asked = all.ask('tools/call', { name: 'x' })
    await all.answers('tools/call', { ...result })
    expect(asked.body['error']).toMatchObject({ code: -32_603 })
    expect(all.heard).toEqual([])
  })

  test.each([
    ['an error', '"error":{"code":-1,"message":"I will not"}', 'I will not'],
    ['no object', '"result":5', 'no object'],
  ])('that the client answers with %s ends the request', async (_name, answer, why) => {
    const all = await EmulatedServer.opened(ALL)
    const asked = all.ask('tools/call', { name: 'x' })
    await all.answers('tools/call', required({ who: FORM, where: ROOTS }))
    await all.reply(answer)
    expect(asked.body['error']).toMatchObject({
      code: -32_603,
      message: expect.stringContaining(why),
    })
    // The other question need not be answered any more.
    const takenBack = all.heard.filter(({ method }) => method === 'notifications/cancelled')
    expect(takenBack).toHaveLength(1)
    expect(all.methods().filter((method) => method === 'tools/call')).toHaveLength(1)
  })

  test('is taken back with the request, of which the server has nothing to hear', async () => {
    const all = await EmulatedServer.opened(ALL)
    const asked = all.ask('tools/call', { name: 'x' })
    await all.answers('tools/call', required({ who: FORM }))
    const before = all.link.sent.length
    if (asked.call) all.channel.cancel(asked.call, 'disconnected')
    await all.settle()
    expect(all.heard.at(-1)?.method).toBe('notifications/cancelled')
    expect(all.heard.at(-1)?.text).toContain(`"requestId":${all.question}`)
    expect(all.link.sent).toHaveLength(before)
    await all.reply('"result":{"action":"accept"}')
    expect(all.link.sent).toHaveLength(before)
  })

  test('that is answered twice is answered once', async () => {
    const all = await EmulatedServer.opened(ALL)
    all.ask('tools/call', { name: 'x' })
    await all.answers('tools/call', required({ who: FORM, where: ROOTS }))
    await all.reply('"result":{"roots":[]}')
    await all.reply('"result":{"roots":[{"uri":"file:///"}]}')
    expect(all.methods().filter((method) => method === 'tools/call')).toHaveLength(1)
  })

  test('by a URL bears an id of ours where it has none: legacy clients want one', async () => {
    const all = await EmulatedServer.opened({ elicitation: { url: {} } })
    all.ask('tools/call', { name: 'x' })
    const params = { mode: 'url', url: 'https://x', message: 'Go there' }
    await all.answers('tools/call', required({ who: { method: 'elicitation/create', params } }))
    const { params: asked } = JSON.parse(all.heard[0]?.text ?? '')
    expect(asked).toEqual({ ...params, elicitationId: all.question })
  })

  test('without room for the request is not asked for', async () => {
    const all = await EmulatedServer.opened(ALL, {}, { bytes: 64 * 1024 })
    const asked = all.ask('tools/call', { name: 'x', arguments: { a: 'x'.repeat(16 * 1024) } })
    await all.answers('tools/call', required({ who: FORM }))
    expect(asked.body['error']).toMatchObject({ message: expect.stringContaining('no room') })
  })

  test('leaves half of the room for calls to those that wait for their turn', async () => {
    const all = await EmulatedServer.opened(ALL, {}, { bytes: 64 * 1024 })
    const half = all.budget.mostOf('calls') / 2
    for (let n = 0; n < 8; n++)
      all.ask('tools/call', { name: 'x', arguments: { a: 'x'.repeat(999) } })
    const held = all.budget.of('calls')
    expect([held > 1000, held <= half]).toEqual([true, true])
    const last = all.ask('tools/call', { name: 'x', arguments: { a: 'x'.repeat(999) } })
    await all.answers('tools/call', { resultType: 'complete', content: [] })
    expect(last.body['result']).toEqual({ content: [] })
  })

  test('keeps nothing of it that is not counted, once the server has it', () => {
    const brought: (string | undefined)[] = []
    const way: Way = {
      terms: { capabilities: { elicitation: {} }, nextId: () => 8 },
      send: (_passage, _request, params) => void brought.push(params),
      mayKeep: () => true,
      ask: () => undefined,
      takeBack: () => undefined,
      fail: () => undefined,
    }
    const lease = aBudget().lease('calls')
    const { headers } = NO_HEADERS
    const passage = new Passage({ id: 7, method: 'tools/call', headers }, way, lease)
    const body = '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"x"}}'
    passage.begin({ request: aRequest(body), edits: [] })
    const counted = lease.bytes
    const result = JSON.stringify(required({ asked: FORM }, 'the state'))
    const answer = aMessage(`{"jsonrpc":"2.0","id":7,"result":${result}}`)
    const reply = aMessage('{"jsonrpc":"2.0","id":8,"result":{"action":"the answer"}}')
    if (answer.kind !== 'response' || reply.kind !== 'response') throw new Error('no responses')
    passage.isAnsweredBy(answer)
    expect(inspect(passage)).toContain('the state')
    expect(lease.bytes).toBeGreaterThan(counted)
    passage.told(8, reply)
    expect(brought.at(-1)).toContain('"asked":{"action":"the answer"}')
    expect(brought.at(-1)).toContain('"requestState":"the state"')
    expect(inspect(passage)).not.toMatch(/the (?:state|answer)/)
    expect(lease.bytes).toBe(counted)
  })

  test('after which the server answers the first request again is not answered by that', async () => {
    const all = await EmulatedServer.opened(ALL)
    const asked = all.ask('tools/call', { name: 'x' })
    const { id } = all.last('tools/call')
    await all.answers('tools/call', required({ who: FORM }))
    await all.says({ id, result: { content: ['early'] } })
    expect(asked.texts).toEqual([])
    await all.reply('"result":{"action":"accept"}')
    await all.says({ id, result: { content: ['early'] } })
    expect(asked.texts).toEqual([])
    await all.answers('tools/call', { content: ['late'] })
    expect(asked.body['result']).toEqual({ content: ['late'] })
  })

  test('in whose round a line cannot be used fails the request', async () => {
    const all = await EmulatedServer.opened(ALL)
    const asked = all.ask('tools/call', { name: 'x' })
    await all.answers('tools/call', required({ who: FORM }))
    await all.reply('"result":{"action":"accept"}')
    const { id } = all.last('tools/call')
    all.link.writes(`{"jsonrpc":"2.0","id":${String(id)},"result":5}`)
    await all.settle()
    expect(asked.faults).toMatchObject([{ code: 'unusable-answer' }])
  })
})
