// Audit records as a collector gets them, decoded by the official definitions: what was answered is there, verifies, and no
// call goes on while it cannot be.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { readCheckpoints, verifyFiles } from '../../../cli/audit/verify.ts'
import { recordSchema, type AuditRecord } from '../../../shared/audit/record.ts'
import { startCollector, type Collector, type LogsAnswer } from '../../support/collector.ts'
import {
  askModern,
  modernCall,
  openLegacy,
  rpc,
  startPuppetWith,
  toolCall,
  type PuppetBridge,
} from '../../support/puppet.ts'

const CHECKPOINT = 'outrigger.audit.checkpoint'

let dir = ''
let collector: Collector
let bridge: PuppetBridge | undefined
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'outrigger-otlp-'))
  collector = await startCollector()
})
afterEach(async () => {
  await bridge?.stop().catch(() => undefined)
  bridge = undefined
  await collector.close()
  rmSync(dir, { recursive: true, force: true, maxRetries: 10 })
})

const run = async (
  document: object,
  flags: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<PuppetBridge> => {
  const path = join(dir, 'config.yaml')
  writeFileSync(path, JSON.stringify(document))
  bridge = await startPuppetWith({ TMPDIR: dir, ...env }, '--config', path, ...flags)
  return bridge
}

/** Records go to the collector, which the environment names. */
const start = (audit: object = {}): Promise<PuppetBridge> =>
  run({ audit }, ['--audit-sink', 'otlp'], { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })

const stop = async (): Promise<void> => {
  await bridge?.stop()
  bridge = undefined
}

/** Lines that came, in order; one that was sent again counts once. */
const linesOf = (isCheckpoint: boolean): readonly string[] => {
  const own = collector.logs.filter(({ eventName }) => (eventName === CHECKPOINT) === isCheckpoint)
  return [...new Set(own.map(({ body }) => body))]
}

const records = (): readonly AuditRecord[] =>
  linesOf(false).map((line) => recordSchema.parse(JSON.parse(line)))

/** What `outrigger audit verify` says of what the collector has. */
const verdict = async (): Promise<unknown> => {
  const [file, told] = [join(dir, 'records.jsonl'), join(dir, 'checkpoints.jsonl')]
  writeFileSync(file, linesOf(false).map((line) => `${line}\n`).join('')) // prettier-ignore
  writeFileSync(told, linesOf(true).map((line) => `${line}\n`).join('')) // prettier-ignore
  const checkpoints = await readCheckpoints(told, undefined)
  return verifyFiles([file], checkpoints.ok ? checkpoints.value : [])
}

test('each record is a log record whose body verifies, up to the last checkpoint', async () => {
  const { url } = await start({ attempts: true })
  const session = await openLegacy(url)
  await session.call('echo', { text: 'x' })
  await stop()
  expect(await verdict()).toMatchObject({
    value: { isWhole: true, verified: { checkpoints: 1, open: [] } },
  })
  const call = collector.logs.find(({ body }) => body.includes('"event":"call"') && body.includes('"tool":"echo"')) // prettier-ignore
  const { seq, instance, time } = records().find((one) => one.event === 'call' && one.message.tool === 'echo') ?? {} // prettier-ignore
  expect(call).toMatchObject({
    eventName: 'outrigger.audit.call',
    severityNumber: 'SEVERITY_NUMBER_INFO',
    attributes: {
      'outrigger.audit.instance': instance,
      'outrigger.audit.seq': seq,
      'mcp.method.name': 'tools/call',
      'gen_ai.tool.name': 'echo',
    },
    resource: { 'service.name': 'local' },
    timeUnixNano: BigInt(Date.parse(time ?? '')) * 1_000_000n,
  })
  expect(collector.paths).toEqual(new Set(['/v1/logs']))
  expect(collector.types).toEqual(new Set(['application/x-protobuf']))
})

test('a call that is traced has its span’s ids as those of the log record', async () => {
  const traces = { endpoint: collector.url, sampleRatio: 1 }
  const { url } = await run({ traces, audit: {} }, ['--audit-sink', 'otlp'], {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  })
  await askModern(url, modernCall('echo', { text: 'x' }))
  await stop()
  const call = collector.logs.find(({ attributes }) => attributes['gen_ai.tool.name'] === 'echo')
  const span = collector.spans.find(({ name, kind }) => name === 'tools/call echo' && kind === 'SERVER') // prettier-ignore
  expect(call).toMatchObject({ traceId: span?.traceId, spanId: span?.spanId })
})

test('beside a file the collector gets the checkpoints of it, and nothing else', async () => {
  const file = join(dir, 'audit.jsonl')
  const { url } = await run({ audit: { otlp: { endpoint: collector.url } } }, ['--audit-file', file]) // prettier-ignore
  await openLegacy(url)
  await stop()
  const told = join(dir, 'checkpoints.jsonl')
  writeFileSync(told, linesOf(true).map((line) => `${line}\n`).join('')) // prettier-ignore
  const checkpoints = await readCheckpoints(told, undefined)
  expect(linesOf(false)).toEqual([])
  expect(await verifyFiles([file], checkpoints.ok ? checkpoints.value : [])).toMatchObject({
    value: { isWhole: true, verified: { checkpoints: 1 } },
  })
})

describe('no call is answered whose record the collector has not taken', () => {
  test.each<[string, LogsAnswer]>([
    ['fails', { status: 500 }],
    ['is silent', { status: 0 }],
    ['does not come to an end', { isEndless: true }],
    ['is no collector', { text: '<html>welcome</html>' }],
    ['rejects a record', { rejected: 1, why: 'too long' }],
  ])('where it %s', async (_what, answer) => {
    const { url, admin } = await start({ attempts: true })
    const session = await openLegacy(url)
    collector.answerLogs(answer)
    const refused = await session.post(toolCall('echo', { text: 'x' }))
    expect(refused).toMatchObject({ status: 503 })
    expect(refused.text).toContain('audit-unavailable')
    expect(await admin.metric('outrigger_audit_failing')).toBe(1)
    collector.answerLogs({ status: 200 })
    while ((await session.post(toolCall('echo'))).status !== 200) await sleep(20)
    await stop()
    const outcomes = records().flatMap((one) => one.event === 'call' && one.message.tool === 'echo' ? [one.outcome] : []) // prettier-ignore
    // One whose attempt was tried is on record as refused, too.
    expect(outcomes.filter(({ is, fault }) => is !== 'ok' && fault !== 'audit-unavailable')).toEqual([]) // prettier-ignore
    expect(outcomes.filter(({ is }) => is === 'ok')).toHaveLength(1)
    expect(await verdict()).toMatchObject({ value: { isWhole: true } })
  })
})

test('by the configuration’s leave what the collector rejects is lost, and counted', async () => {
  const { url, admin } = await start({ onFailure: 'drop' })
  const session = await openLegacy(url)
  collector.answerLogs({ rejected: 1, why: 'too long' })
  expect(await session.call('echo', { text: 'hi' })).toBe('hi')
  const dropped = () => admin.metric('outrigger_audit_records_total{outcome="dropped"}')
  while ((await dropped()) === 0) await sleep(20)
})

test('ended in the middle: whatever was answered is with the collector', async () => {
  const { url } = await start()
  const sessions = await Promise.all(Array.from({ length: 4 }, () => openLegacy(url)))
  const answered: number[] = []
  const ends: Promise<void>[] = []
  let next = 0
  const callBy = async ({ post }: (typeof sessions)[number]): Promise<void> => {
    while (next < 200) {
      const id = ++next
      const body = rpc('tools/call', { name: 'echo', arguments: { text: 'x' } }, id)
      const reply = await post(body).catch(() => undefined)
      if (reply?.status === 200 && reply.text.includes('"result"')) answered.push(id)
      if (id === 100) ends.push(stop())
    }
  }
  await Promise.all(sessions.map(callBy))
  await Promise.all(ends)
  const onRecord = new Set(records().flatMap((one) => one.event === 'call' ? [Number(one.message.id)] : [])) // prettier-ignore
  expect(answered.length).toBeGreaterThan(90)
  expect(answered.filter((id) => !onRecord.has(id))).toEqual([])
  expect(records().at(-1)?.event).toBe('end')
  expect(await verdict()).toMatchObject({ value: { isWhole: true } })
})

test('without a collector it does not start, and says where it was looked for', async () => {
  await collector.close()
  await expect(start()).rejects.toThrow(
    `audit: the first record cannot be written: the collector at ${collector.url}/v1/logs: nothing listens there (ECONNREFUSED)`,
  )
  collector = await startCollector()
})
