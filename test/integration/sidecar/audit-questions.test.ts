// What a server asks its clients (elicitation, sampling, roots), on record with what came of it.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { verifyFiles } from '../../../cli/audit/verify.ts'
import { recordSchema, type AuditRecord } from '../../../shared/audit/record.ts'
import {
  note,
  openLegacy,
  rpc,
  startPuppetWith,
  toolCall,
  type LegacySession,
  type PuppetBridge,
} from '../../support/puppet.ts'
import { JSON_HEADERS, send } from '../../support/raw-http.ts'

const SECRET = 'correct horse battery staple'
const QUESTION = rpc('elicitation/create', { message: 'Which day?', password: SECRET }, 'q')

let dir = ''
let file = ''
let bridge: PuppetBridge | undefined
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'outrigger-audit-'))
  file = join(dir, 'audit.jsonl')
})
afterEach(async () => {
  await bridge?.stop()
  bridge = undefined
  rmSync(dir, { recursive: true, force: true, maxRetries: 10 })
})

const start = async (...flags: readonly string[]): Promise<PuppetBridge> => {
  const config = join(dir, 'config.yaml')
  writeFileSync(config, JSON.stringify({ audit: { level: 'request' } }))
  const all = ['--config', config, '--audit-file', file, ...flags]
  bridge = await startPuppetWith({ TMPDIR: dir }, ...all)
  return bridge
}

const records = (): readonly AuditRecord[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => recordSchema.parse(JSON.parse(line)))

const questionOnRecord = async (): Promise<AuditRecord> => {
  for (;;) {
    const found = records().find(({ event }) => event === 'server-request')
    if (found) return found
    await sleep(20)
  }
}

/** The server asks within a call, which goes on; once the client has heard it this is what it does. */
const asked = async (session: LegacySession, act: () => Promise<unknown>): Promise<void> => {
  const stream = await session.stream(toolCall('say', { lines: [QUESTION], isSilent: true }))
  await stream.event((text) => text.includes('elicitation'))
  await act()
}

const answer = (rest: string): string => `{"jsonrpc":"2.0","id":"q",${rest}}`
const RESULT = { action: 'accept', content: { day: 'Monday', pin: SECRET } }

type Act = (session: LegacySession) => Promise<unknown>

describe('a question of the server’s is on record with what came of it', () => {
  test.each<[string, Act, object, flags?: readonly string[]]>([
    [
      'that the user accepts',
      ({ post }) => post(answer(`"result":${JSON.stringify(RESULT)}`)),
      { is: 'answered', action: 'accept' },
    ],
    [
      'that the user declines',
      ({ post }) => post(answer('"result":{"action":"decline"}')),
      { is: 'answered', action: 'decline' },
    ],
    [
      'that is answered in other words',
      ({ post }) => post(answer('"result":{"action":"perhaps"}')),
      { is: 'answered' },
    ],
    [
      'that the client cannot take',
      ({ post }) => post(answer('"error":{"code":-32601,"message":"no"}')),
      { is: 'error', code: '-32601' },
    ],
    ['that nobody answers', () => Promise.resolve(), { is: 'timeout' }, ['--client-timeout', '1s']],
    ['whose session ends', ({ end }) => end(), { is: 'cancelled' }],
    [
      'that the server takes back',
      ({ post }) => {
        const cancelled = note('notifications/cancelled', { requestId: 'q' })
        const id = 2
        return post(rpc('tools/call', { name: 'say', arguments: { lines: [cancelled] } }, id))
      },
      { is: 'cancelled' },
    ],
  ])('%s', async (...[, act, outcome, flags = []]) => {
    const { url } = await start(...flags)
    const session = await openLegacy(url, '2025-06-18', { elicitation: {} })
    await asked(session, () => act(session))
    expect(await questionOnRecord()).toMatchObject({
      caller: { by: 'nobody' },
      session: session.id.slice(0, 8),
      message: {
        id: '"q"',
        method: 'elicitation/create',
        bytes: QUESTION.length,
        params: expect.stringContaining('"message":"Which day?"'),
      },
      outcome,
      process: expect.any(Number),
      durationMs: expect.any(Number),
    })
    await bridge?.stop()
    bridge = undefined
    expect(readFileSync(file, 'utf8')).not.toContain(SECRET)
    expect(await verifyFiles([file], [])).toMatchObject({ value: { isWhole: true } })
  })

  test('what the client answered stands before it', async () => {
    const { url } = await start()
    const session = await openLegacy(url)
    await asked(session, () => session.post(answer(`"result":${JSON.stringify(RESULT)}`)))
    const { seq } = await questionOnRecord()
    const said = records().find((one) => one.event === 'notification' && one.message.id === '"q"')
    expect(said).toMatchObject({ message: { result: expect.stringContaining('Monday') } })
    expect(said?.seq).toBeLessThan(seq)
  })

  test('that nobody would hear', async () => {
    const { url } = await start()
    const { headers } = await openLegacy(url)
    const lines = { lines: [QUESTION] }
    await send(url, toolCall('say', lines), { ...JSON_HEADERS, ...headers, accept: 'application/json' }) // prettier-ignore
    expect(await questionOnRecord()).toMatchObject({ outcome: { is: 'no_client' } })
  })

  test('of a process that is everybody’s: nobody is asked', async () => {
    const { url } = await start('--process-model', 'shared')
    const session = await openLegacy(url)
    await session.call('say', { lines: [QUESTION] })
    const { caller, session: own, outcome } = Object(await questionOnRecord())
    expect([caller, own, outcome]).toEqual([undefined, undefined, { is: 'denied' }])
  })
})

test('a ping asks for nothing, and is no record', async () => {
  const { url } = await start()
  const session = await openLegacy(url)
  await session.call('say', { lines: [rpc('ping', {}, 'p'), QUESTION] })
  await session.post(answer('"result":{"action":"cancel"}'))
  expect(await questionOnRecord()).toMatchObject({ message: { method: 'elicitation/create' } })
})
