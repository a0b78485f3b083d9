// Legacy clients before a server that knows the modern era alone: their sessions are those of every server, and policy and
// records hold as for everybody else.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { recordSchema, type AuditRecord } from '../../../shared/audit/record.ts'
import {
  note,
  openLegacy,
  rpc,
  startEmulated,
  startPuppet,
  textOf,
  toolCall,
  type LegacySession,
  type PuppetBridge,
  type SeenMessage,
} from '../../support/puppet.ts'
import { messageIn } from '../../support/raw-http.ts'
import { until } from '../../support/waiting.ts'

const ELICITATION = 'elicitation/create'
const ACCEPTED = { action: 'accept', content: { day: 'Monday' } }

let bridge: PuppetBridge

const start = (flags: () => readonly string[] = () => []): void => {
  beforeAll(async () => {
    bridge = await startEmulated(...flags())
  })
  afterAll(() => bridge.stop())
}

const open = (capabilities = {}): Promise<LegacySession> =>
  openLegacy(bridge.url, '2025-06-18', capabilities)

/** What a session's server has read. */
const seenBy = async (session: LegacySession): Promise<readonly SeenMessage[]> =>
  JSON.parse(await session.call('seen'))

/** The server asks its client in the course of a call: what the client says to that, and what becomes of the call. */
const asked = async (session: LegacySession, answer: string): Promise<string> => {
  const stream = await session.stream(toolCall('ask', { method: ELICITATION }))
  const question = await stream.event((text) => text.includes(ELICITATION))
  const { id } = JSON.parse(question.data)
  await session.post(`{"jsonrpc":"2.0","id":${id},${answer}}`)
  return (await stream.event((text) => text.includes('"id":1,'))).data
}

describe('a server of the modern era', () => {
  start()

  test('is asked what it is, and never hears of sessions', async () => {
    const session = await open({ roots: {} })
    expect(JSON.parse(messageIn(session.opened)).result).toMatchObject({
      protocolVersion: '2025-06-18',
      capabilities: { tools: {} },
    })
    await session.post(rpc('ping', {}))
    const seen = await seenBy(session)
    expect(seen.map(({ method }) => method)).toEqual(['server/discover', 'tools/call'])
    for (const { params } of seen) {
      expect(params?.['_meta']).toMatchObject({
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientCapabilities': { roots: {} },
        'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
      })
    }
    expect((await session.end()).status).toBe(204)
    expect((await session.post(rpc('ping', {}))).status).toBe(404)
  })

  test('has a process for each session', async () => {
    const [one, other] = [await open(), await open()]
    expect(await one.call('pid')).not.toBe(await other.call('pid'))
    await Promise.all([one.end(), other.end()])
  })

  test('gets what its client says to what it asks', async () => {
    const session = await open({ elicitation: {} })
    const answer = await asked(session, `"result":${JSON.stringify(ACCEPTED)}`)
    expect(JSON.parse(textOf(answer))).toEqual({ one: ACCEPTED })
    const calls = (await seenBy(session)).filter(({ method }) => method === 'tools/call')
    expect(calls[1]?.params).toMatchObject({ name: 'ask', requestState: 'kept' })
    expect(calls[1]?.id).not.toBe(calls[0]?.id)
    await session.end()
  })

  test('asks nobody who has not declared that it can be', async () => {
    const session = await open()
    const { error } = JSON.parse(
      messageIn(await session.post(toolCall('ask', { method: ELICITATION }))),
    )
    expect(error).toMatchObject({ code: -32_603, message: expect.stringContaining('declared') })
    await session.end()
  })

  test('hears that a call is given up', async () => {
    const session = await open()
    const lines = ['{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":$TOKEN,"progress":1}}'] // prettier-ignore
    const stream = await session.stream(toolCall('say', { lines, isSilent: true }, 'mine'))
    await stream.event((text) => text.includes('"progressToken":"mine"'))
    await session.post(note('notifications/cancelled', { requestId: 1 }))
    await stream.event((text) => text.includes('request-cancelled'))
    const seen = await seenBy(session)
    const call = seen.find(({ method }) => method === 'tools/call')
    const cancelled = seen.find(({ method }) => method === 'notifications/cancelled')
    expect(cancelled?.params).toMatchObject({ requestId: call?.id })
    await session.end()
  })

  test('answers whoever was cut off and comes back for the rest', async () => {
    const session = await openLegacy(bridge.url, '2025-11-25', { elicitation: {} })
    const cut = await session.stream(toolCall('ask', { method: ELICITATION }))
    const question = await cut.event((text) => text.includes(ELICITATION))
    cut.destroy()
    const rest = await session.listen(question.id)
    const { id } = JSON.parse(question.data)
    await session.post(`{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(ACCEPTED)}}`)
    const answer = await rest.event((text) => text.includes('"id":1,'))
    expect(JSON.parse(textOf(answer.data))).toEqual({ one: ACCEPTED })
    expect(rest.events.filter(({ data }) => data.includes(ELICITATION))).toEqual([])
    rest.destroy()
    await session.end()
  })

  test('that ends takes its session with it', async () => {
    const session = await open()
    const reply = await session.post(toolCall('exit', { code: 3 }))
    expect(messageIn(reply)).toContain('exited with code 3')
    await until(
      async () => (await session.post(rpc('ping', {}))).status === 404,
      'the end of the session',
    )
  })
})

describe.each([
  ['principal', 1],
  ['shared', 1],
] as const)('process model %s', (model, processes) => {
  start(() => ['--process-model', model])

  test('sessions share a process, and each is asked what its own call needs', async () => {
    const [one, other] = [await open({ elicitation: {} }), await open({ elicitation: {} })]
    const pids = new Set([await one.call('pid'), await other.call('pid')])
    expect(pids.size).toBe(processes)
    if (model === 'principal') {
      const said = await asked(other, '"result":{"action":"decline"}')
      expect(JSON.parse(textOf(said))).toEqual({ one: { action: 'decline' } })
    } else {
      const answer = await other.post(toolCall('ask', { method: ELICITATION }))
      expect(messageIn(answer)).toContain('has not declared')
    }
    await Promise.all([one.end(), other.end()])
  })
})

describe('a server of both eras', () => {
  beforeAll(async () => {
    bridge = await startPuppet('--translate-eras', 'true')
  })
  afterAll(() => bridge.stop())

  test('speaks to each client in its own', async () => {
    const session = await open()
    const seen = await seenBy(session)
    expect(seen.map(({ method }) => method)).toContain('initialize')
    expect(JSON.stringify(seen)).not.toContain('io.modelcontextprotocol')
    await session.end()
  })
})

describe('with a tool policy and records', () => {
  let folder: string
  let file: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'outrigger-emulation-'))
    file = join(folder, 'audit.jsonl')
    const rules = [
      { name: 'some', effect: 'allow', tools: ['echo', 'ask'] },
      { name: 'form', effect: 'allow', methods: [ELICITATION] },
    ]
    writeFileSync(join(folder, 'policy.yaml'), JSON.stringify({ version: 1, rules }))
  })
  start(() => ['--tool-policy', join(folder, 'policy.yaml'), '--audit-file', file])
  // After whoever writes there.
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const records = (): readonly AuditRecord[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => recordSchema.parse(JSON.parse(line)))
  const of = (event: string, what: string): Promise<readonly AuditRecord[]> =>
    until(() => {
      const found = records().filter((one) => one.event === event && JSON.stringify(one).includes(what)) // prettier-ignore
      return found.length > 0 ? found : undefined
    }, `a record of ${what}`)

  test('a list holds what its caller may use, and a call that is denied goes nowhere', async () => {
    const session = await open()
    const { result } = JSON.parse(messageIn(await session.post(rpc('tools/list', {}))))
    expect(result.tools.map(({ name }: { name: string }) => name).toSorted()).toEqual([
      'ask',
      'echo',
    ])
    expect(messageIn(await session.post(toolCall('pid')))).toContain('"denied"')
    await session.end()
  })

  test('a call that asks its client is one call on record, and the question another', async () => {
    const session = await open({ elicitation: {}, sampling: {} })
    await asked(session, `"result":${JSON.stringify(ACCEPTED)}`)
    const [question] = await of('server-request', ELICITATION)
    expect(question).toMatchObject({
      session: session.id.slice(0, 8),
      outcome: { is: 'answered', action: 'accept' },
    })
    const calls = await of('call', '"tool":"ask"')
    expect(calls).toHaveLength(1)
    expect(calls[0]).toMatchObject({ outcome: { is: 'ok' } })
    await session.end()
  })

  test('the server may not ask for what the policy does not allow', async () => {
    const session = await open({ sampling: {} })
    const answer = await session.post(toolCall('ask', { method: 'sampling/createMessage' }))
    expect(messageIn(answer)).toContain('the tool policy does not allow')
    const [question] = await of('server-request', 'sampling')
    expect(question).toMatchObject({ outcome: { is: 'denied' } })
    await session.end()
  })
})

describe('a client that does not answer', () => {
  start(() => ['--client-timeout', '1s'])

  test('has a call that fails, and can go on', async () => {
    const session = await open({ elicitation: {} })
    const stream = await session.stream(toolCall('ask', { method: ELICITATION }))
    const told = await stream.event((text) => text.includes('"error"'))
    expect(told.data).toContain('did not answer within 1000 ms')
    expect(await session.call('echo', { text: 'and on' })).toBe('and on')
    await session.end()
  })
})
