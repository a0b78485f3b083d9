// Calls while records cannot be written, and until they can: by default no call succeeds without its record, and what
// was answered and what is on record agree to the call. OUTRIGGER_AUDIT_CALLS says how many calls, for more than these.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { verifyFiles } from '../../../cli/audit/verify.ts'
import { recordSchema, type AuditRecord } from '../../../shared/audit/record.ts'
import {
  openLegacy,
  rpc,
  startPuppetWith,
  type LegacySession,
  type PuppetBridge,
} from '../../support/puppet.ts'

const CALLS = Number(process.env['OUTRIGGER_AUDIT_CALLS'] ?? 1600)
const CALLERS = 8
/** On slow cores, too. */
const LIMIT_MS = 120_000 + 30 * CALLS
/** Every record of a call takes more than so much. */
const LEAST_BYTES = 300

let dir = ''
let file = ''
let bridge: PuppetBridge | undefined
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'outrigger-audit-'))
  file = join(dir, 'audit.jsonl')
})
afterEach(async () => {
  await bridge?.stop().catch(() => undefined)
  bridge = undefined
  rmSync(dir, { recursive: true, force: true, maxRetries: 10 })
})

const start = async (audit: object): Promise<PuppetBridge> => {
  const config = join(dir, 'config.yaml')
  writeFileSync(config, JSON.stringify({ audit: { file, maxFileBytes: 2 ** 30, ...audit } }))
  bridge = await startPuppetWith({ TMPDIR: dir }, '--config', config)
  return bridge
}

const stop = async (): Promise<void> => {
  await bridge?.stop().catch(() => undefined)
  bridge = undefined
}

const records = (): readonly AuditRecord[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => recordSchema.parse(JSON.parse(line)))

/** Ids of calls of the tool, in order of their numbers. */
const idsOf = (event: 'attempt' | 'call', isIt: (record: AuditRecord) => boolean = () => true) =>
  records()
    .flatMap((record) =>
      record.event === event && record.message.tool === 'echo' && isIt(record)
        ? [Number(record.message.id)]
        : [],
    )
    .toSorted((one, other) => one - other)

interface Told {
  readonly ok: number[]
  readonly refused: number[]
  /** Nobody has answered. */
  readonly lost: number[]
}

/** Calls by all sessions at once, each with an id of its own; `meanwhile` hears of each that is over, and of those refused. */
const callAll = async (
  sessions: readonly LegacySession[],
  meanwhile: (done: number, refused: number) => void = () => undefined,
): Promise<Told> => {
  const told: Told = { ok: [], refused: [], lost: [] }
  let next = 0
  let done = 0
  const callBy = async (session: LegacySession): Promise<void> => {
    while (next < CALLS) {
      const id = ++next
      const body = rpc('tools/call', { name: 'echo', arguments: { text: 'x' } }, id)
      const reply = await session.post(body).catch(() => undefined)
      if (reply === undefined) told.lost.push(id)
      else if (reply.status === 200 && reply.text.includes('"result"')) told.ok.push(id)
      else told.refused.push(id)
      if (reply?.status === 503) await sleep(20)
      meanwhile(++done, told.refused.length)
    }
  }
  await Promise.all(sessions.map(callBy))
  return told
}

const open = (url: string): Promise<readonly LegacySession[]> =>
  Promise.all(Array.from({ length: CALLERS }, () => openLegacy(url)))

const sorted = (ids: readonly number[]): readonly number[] =>
  ids.toSorted((one, other) => one - other)

/** The largest file that the sidecar may write: to the system the same as a disk that is full. */
const limit = ({ pid }: PuppetBridge, bytes: number | 'unlimited'): void =>
  void execFileSync('prlimit', ['--pid', `${pid}`, `--fsize=${bytes}:unlimited`])

const isOk = (record: AuditRecord): boolean => record.event === 'call' && record.outcome.is === 'ok'

describe('a disk that is full, and empty again, and full again', () => {
  test.each([true, false])(
    'attempts %s: what was answered is on record',
    async (attempts) => {
      const own = await start({ attempts })
      const sessions = await open(own.url)
      let faults = 0
      let refusedBefore = Infinity
      const told = await callAll(sessions, (done, refused) => {
        if (done % 400 === 100) {
          faults++
          refusedBefore = refused
          limit(own, statSync(file).size + 4 * LEAST_BYTES)
        } else if (refused > refusedBefore) {
          refusedBefore = Infinity
          setTimeout(() => limit(own, 'unlimited'), 300)
        }
      })
      await sleep(400)
      await stop()
      expect(faults).toBeGreaterThan(1)
      expect(told.lost).toEqual([])
      expect(told.refused.length).toBeGreaterThan(0)
      expect(idsOf('call', isOk)).toEqual(sorted(told.ok))
      if (attempts) {
        // One that was tried and then refused is on record as both.
        expect(idsOf('attempt')).toEqual(idsOf('call'))
      }
      expect(await verifyFiles([file], [])).toMatchObject({ value: { isWhole: true } })
    },
    LIMIT_MS,
  )
})

test(
  'ended in the middle: nothing that was answered is missing',
  async () => {
    const own = await start({ attempts: false })
    const sessions = await open(own.url)
    let ended: Promise<void> | undefined
    const told = await callAll(sessions, (done) => {
      if (done === CALLS / 2) ended = stop()
    })
    await ended
    expect(told.ok.length).toBeGreaterThan(CALLS / 2 - 1)
    const onRecord = new Set(idsOf('call', isOk))
    expect(told.ok.filter((id) => !onRecord.has(id))).toEqual([])
    expect(records().at(-1)?.event).toBe('end')
  },
  LIMIT_MS,
)

test(
  'killed in the middle, with attempts: whatever the server has answered is on record',
  async () => {
    const own = await start({ attempts: true })
    const sessions = await open(own.url)
    const told = await callAll(sessions, (done) => {
      if (done === CALLS / 2) own.kill()
    })
    await stop()
    const attempts = new Set(idsOf('attempt'))
    expect(told.ok.length).toBeGreaterThan(CALLS / 2 - 1)
    expect(told.ok.filter((id) => !attempts.has(id))).toEqual([])
    expect(await verifyFiles([file], [])).toMatchObject({ value: { isWhole: true } })
  },
  LIMIT_MS,
)
