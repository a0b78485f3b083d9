// Modern clients before a server that knows the legacy era alone: what they are told, that who hangs up cancels, and that
// policy and records hold as for everybody else.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { recordSchema, type AuditRecord } from '../../../shared/audit/record.ts'
import { openStream } from '../../support/event-stream.ts'
import {
  askModern,
  META,
  modern,
  modernCall,
  note,
  openLegacy,
  rpc,
  startTranslated,
  textOf,
  VERSION,
  type Modern,
  type PuppetBridge,
  type SeenMessage,
} from '../../support/puppet.ts'
import { send } from '../../support/raw-http.ts'
import { until } from '../../support/waiting.ts'

let bridge: PuppetBridge

const start = (flags: () => readonly string[] = () => []): void => {
  beforeAll(async () => {
    bridge = await startTranslated(...flags())
  })
  afterAll(() => bridge.stop())
}

const ask = async (asked: Modern): Promise<string> => textOf(await askModern(bridge.url, asked))

describe('a server of the legacy era', () => {
  start()

  test.each<[string, Modern, number, number, string]>([
    [
      'a subscription',
      modern('subscriptions/listen', { notifications: {} }),
      404,
      -32_601,
      'is not translated',
    ],
    ['what the modern era does not have', modern('ping'), 404, -32_601, 'has no ping'],
    ['a task', { ...modern('tasks/get', { taskId: 'x' }) }, 400, -32_020, 'Mcp-Name'],
    [
      'what it does not wait for',
      modern('tools/call', { name: 'echo', requestState: 'x' }),
      400,
      -32_602,
      'requestState',
    ],
    [
      'no envelope',
      { ...modern('tools/list'), body: rpc('tools/list', {}) },
      400,
      -32_602,
      'params._meta needs',
    ],
    [
      'another revision',
      {
        body: rpc('tools/list', {
          _meta: { ...META, 'io.modelcontextprotocol/protocolVersion': '2027-01-01' },
        }),
        headers: { ...modern('tools/list').headers, 'mcp-protocol-version': '2027-01-01' },
      },
      400,
      -32_022,
      `"supported":["${VERSION}"]`,
    ],
    [
      'the name of another tool in its head',
      { ...modernCall('echo'), headers: { ...modernCall('echo').headers, 'mcp-name': 'pid' } },
      400,
      -32_020,
      'Mcp-Name',
    ],
  ])('is not asked for %s', async (_name, asked, ...[status, code, says]) => {
    const reply = await send(bridge.url, asked.body, asked.headers)
    expect([reply.status, JSON.parse(reply.text).error.code]).toEqual([status, code])
    expect(reply.text).toContain(says)
    expect(reply.headers).not.toHaveProperty('mcp-session-id')
  })

  test('remembers from one call to the next, and is initialized once', async () => {
    const pid = await ask(modernCall('pid'))
    expect(await ask(modernCall('pid'))).toBe(pid)
    const seen: SeenMessage[] = JSON.parse(await ask(modernCall('seen')))
    const methods = seen.map(({ method }) => method)
    expect(methods.filter((method) => method === 'initialize')).toHaveLength(1)
    expect(methods.slice(0, 2)).toEqual(['initialize', 'notifications/initialized'])
    expect(JSON.stringify(seen)).not.toContain('io.modelcontextprotocol')
  })

  test('serves sessions beside it, by processes of their own', async () => {
    const session = await openLegacy(bridge.url)
    expect(await session.call('pid')).not.toBe(await ask(modernCall('pid')))
    await session.end()
  })

  test('tells log lines to who asks for them, and sets how loud it is', async () => {
    const line = (level: string): string =>
      note('notifications/message', { level, data: `at ${level}` })
    const said = modernCall(
      'say',
      { lines: [line('debug'), line('error')] },
      { 'io.modelcontextprotocol/logLevel': 'warning' },
    )
    const stream = await openStream(bridge.url, said)
    const events = stream.read()
    await events.ended()
    const texts = events.events.map(({ data }) => data).join('\n')
    expect(texts).toContain('at error')
    expect(texts).not.toContain('at debug')
    const seen: SeenMessage[] = JSON.parse(await ask(modernCall('seen')))
    expect(seen.find(({ method }) => method === 'logging/setLevel')?.params).toEqual({
      level: 'warning',
    })
  })

  test('hears that its client has hung up, and serves nobody after that', async () => {
    const pid = await ask(modernCall('pid'))
    const lines = [note('notifications/progress', { progressToken: '$TOKEN', progress: 1 })]
    const progress = lines.map((text) => text.replace('"$TOKEN"', '$TOKEN'))
    const stream = await openStream(
      bridge.url,
      modernCall('say', { lines: progress, isSilent: true }, { progressToken: 'mine' }),
    )
    const events = stream.read()
    await events.event((data) => data.includes('"progressToken":"mine"'))
    events.destroy()
    // A whole line: it may come in pieces.
    const heard = () => /^.*notifications\/cancelled.*\n/m.exec(bridge.stderr())?.[0]
    expect(await until(heard, 'the cancellation')).toContain('disconnected')
    expect(await ask(modernCall('pid'))).not.toBe(pid)
  })
})

describe('with a tool policy and records', () => {
  let folder: string
  let file: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'outrigger-translation-'))
    file = join(folder, 'audit.jsonl')
    const rules = [{ name: 'echoes', effect: 'allow', tools: ['echo'] }]
    writeFileSync(join(folder, 'policy.yaml'), JSON.stringify({ version: 1, rules }))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
  start(() => ['--tool-policy', join(folder, 'policy.yaml'), '--audit-file', file])

  const records = (): readonly AuditRecord[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => recordSchema.parse(JSON.parse(line)))
  const callOf = async (method: string): Promise<AuditRecord> => {
    const find = (): AuditRecord | undefined =>
      records().find((record) => record.event === 'call' && record.message.method === method)
    return until(find, `a record of ${method}`)
  }

  test('a list holds what its caller may use, and discovery says no more', async () => {
    const list = await askModern(bridge.url, modern('tools/list'))
    const names = JSON.parse(list).result.tools.map(({ name }: { name: string }) => name)
    expect(names).toEqual(['echo'])
    const discovered = JSON.parse(await askModern(bridge.url, modern('server/discover')))
    expect(discovered.result.capabilities).toEqual({ tools: {}, logging: {} })
  })

  test('a call that is denied never reaches the server, and both are on record', async () => {
    expect(await ask(modernCall('echo', { text: 'hi' }))).toBe('hi')
    const denied = JSON.parse(await askModern(bridge.url, modernCall('pid')))
    expect(denied.error.data.code).toBe('denied')
    expect(await callOf('tools/call')).toMatchObject({
      message: { tool: 'echo' },
      outcome: { is: 'ok' },
      process: expect.any(Number),
    })
    await until(() => JSON.stringify(records()).includes('"denied"'), 'the record of the denial')
  })

  test('discovery is on record as a call', async () => {
    await askModern(bridge.url, modern('server/discover'))
    expect(await callOf('server/discover')).toMatchObject({ outcome: { is: 'ok' } })
  })
})
