// What the records of a whole sidecar say of where it runs, and of what changes while it does.

import { execFileSync } from 'node:child_process'
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { recordSchema, type AuditRecord } from '../../../../shared/audit/record.ts'
import { parseSidecarConfig } from '../../../../shared/sidecar-config.ts'
import { startAudit, type Audit } from '../../../../sidecar/audit/start-audit.ts'
import { Budget } from '../../../../sidecar/bytes/budget.ts'
import { podOf } from '../../../../sidecar/life/pod.ts'
import { aBudget } from '../../../support/budgets.ts'
import { keptLog } from '../../../support/kept-log.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'audit-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const POD = {
  OUTRIGGER_POD_NAME: 'notes-x2x7k',
  OUTRIGGER_POD_NAMESPACE: 'team-a',
  OUTRIGGER_NODE: 'node-3',
  OUTRIGGER_SERVICE_ACCOUNT: '',
}

const startIn = (environment: Readonly<Record<string, string>>, budget: Budget): Promise<Audit> => {
  const file = join(dir, 'audit.jsonl')
  const about = { workload: 'Deployment/notes', image: 'registry.example/notes@sha256:00' }
  const config = parseSidecarConfig({ settings: { auth: 'none' }, audit: { file, about } })
  if (!config.ok || !config.value.audit) throw new Error('no configuration')
  const { log } = keptLog()
  const times = { now: () => performance.now(), wallMs: () => Date.now() }
  const parts = { config: config.value, ...times, log, pod: podOf(environment) }
  return startAudit(parts, config.value.audit, budget)
}

/** The records of a sidecar to which this has happened. */
const recordsOf = async (
  environment: Readonly<Record<string, string>>,
  happens: (audit: Audit) => void = () => undefined,
): Promise<readonly AuditRecord[]> => {
  const audit = await startIn(environment, aBudget())
  happens(audit)
  await audit.close(1000)
  return readFileSync(join(dir, 'audit.jsonl'), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => recordSchema.parse(JSON.parse(line)))
}

test('in a cluster each record names the pod, and the first all that is known of it', async () => {
  const [begin, end] = await recordsOf(POD)
  expect(begin).toMatchObject({
    event: 'begin',
    pod: 'team-a/notes-x2x7k',
    place: {
      name: 'notes-x2x7k',
      namespace: 'team-a',
      node: 'node-3',
      workload: 'Deployment/notes',
      image: 'registry.example/notes@sha256:00',
    },
  })
  expect(end).toMatchObject({ event: 'end', pod: 'team-a/notes-x2x7k' })
})

test('elsewhere there is no pod', async () => {
  const records = await recordsOf({})
  expect(records.map(({ pod }) => pod)).toEqual([undefined, undefined])
})

test('a file that changes and a server that is not as it was locked are on record, and counted as before', async () => {
  const counted: string[] = []
  const records = await recordsOf(POD, ({ hearing, recorder }) => {
    const heard = hearing({
      policyReload: (outcome) => counted.push(`policy ${outcome}`),
      lockReload: (outcome) => counted.push(`lock ${outcome}`),
      tlsReload: (outcome) => counted.push(`tls ${outcome}`),
    })
    heard.policyReload('taken')
    heard.lockReload('refused')
    heard.tlsReload('taken')
    recorder.found({
      kind: 'tools',
      name: `call-with-token=${'x'.repeat(400)}`,
      why: 'has changed',
      action: 'hidden',
    })
  })
  expect(counted).toEqual(['policy taken', 'lock refused', 'tls taken'])
  expect(records.slice(1, -1)).toMatchObject([
    { event: 'reload', what: 'tool-policy', outcome: 'taken' },
    { event: 'reload', what: 'tool-lock', outcome: 'refused' },
    { event: 'reload', what: 'certificate', outcome: 'taken' },
    { event: 'lock-finding', kind: 'tools', name: 'call-with-token=[removed]' },
  ])
})

/** A pipe that somebody empties slowly. */
const openPipe = (): number => {
  const path = join(dir, 'pipe')
  execFileSync('mkfifo', [path])
  return openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
}

const PIECE = Buffer.alloc(4096)

/** A piece of what stands in a pipe. */
const pieceOf = (pipe: number): string => {
  try {
    return PIECE.toString('latin1', 0, readSync(pipe, PIECE))
  } catch {
    return ''
  }
}

const eventIn = (line: string): string => recordSchema.parse(JSON.parse(line)).event

test('on standard output a checkpoint stands in no record, however slowly it is read', async () => {
  const config = parseSidecarConfig({ settings: { auth: 'none' }, audit: {} })
  if (!config.ok || !config.value.audit) throw new Error('no configuration')
  const pipe = openPipe()
  const { log } = keptLog()
  const times = { now: () => performance.now(), wallMs: () => Date.now() }
  const parts = { config: config.value, ...times, log, stdout: pipe }
  const audit = await startAudit(parts, config.value.audit, aBudget())
  const long = 'x'.repeat(200)
  for (let count = 0; count < 400; count++) {
    audit.recorder.found({ kind: 'tools', name: long, why: long, action: 'hidden' })
  }
  let text = ''
  // More than a pipe takes: the write is under way.
  while (text.length < 16_384) {
    text += pieceOf(pipe)
    await sleep(1)
  }
  audit.sweep(performance.now() + 60_000)
  const closing = audit.close(60_000).then(() => true)
  for (let isOut = false; !isOut; isOut = await Promise.race([closing, sleep(6, false)])) {
    text += pieceOf(pipe)
  }
  for (let rest = pieceOf(pipe); rest !== ''; rest = pieceOf(pipe)) text += rest
  closeSync(pipe)
  const all = text.split('\n').slice(0, -1)
  const seen = all.map((line) => (line.startsWith('{"outrigger"') ? 'checkpoint' : eventIn(line)))
  const found = Array.from({ length: 400 }, () => 'lock-finding')
  expect(seen.filter((what) => what !== 'checkpoint')).toEqual(['begin', ...found, 'end'])
  expect(seen.slice(-2)).toEqual(['end', 'checkpoint'])
  expect(seen).toHaveLength(404)
})

test('one that cannot write its first record leaves the file to the next', async () => {
  await expect(startIn({}, new Budget(1024))).rejects.toThrow('the first record cannot be written')
  expect(readdirSync(dir)).toEqual(['audit.jsonl'])
  expect((await recordsOf({})).map(({ event }) => event)).toEqual(['begin', 'end'])
})
