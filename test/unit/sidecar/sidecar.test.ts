// A sidecar that cannot start leaves nothing behind: its records end, and their file is free for the next one.

import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { recordSchema } from '../../../shared/audit/record.ts'
import { parseSidecarConfig, type SidecarDocument } from '../../../shared/sidecar-config.ts'
import { processOf } from '../../../sidecar/life/process.ts'
import { startSidecar } from '../../../sidecar/sidecar.ts'
import { keptLog } from '../../support/kept-log.ts'
import { listening } from '../../support/listening.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'outrigger-start-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const start = async (document: SidecarDocument, { log } = keptLog()): Promise<void> => {
  const audit = { file: join(dir, 'audit.jsonl') }
  const config = parseSidecarConfig({
    settings: { auth: 'none' },
    host: '127.0.0.1',
    port: 0,
    adminPort: 0,
    runDir: dir,
    audit,
    ...document,
  })
  if (!config.ok) throw new Error(config.error.join('; '))
  const stdout = openSync(join(dir, 'checkpoints'), 'a')
  const parts = {
    config: config.value,
    log,
    now: () => performance.now(),
    wallMs: () => Date.now(),
    process: processOf(process, undefined),
    stdout,
  }
  try {
    await startSidecar(parts)
  } finally {
    closeSync(stdout)
  }
}

const events = (): readonly string[] =>
  readFileSync(join(dir, 'audit.jsonl'), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => recordSchema.parse(JSON.parse(line)).event)

test.each<readonly [string, SidecarDocument, RegExp]>([
  ['the tool policy', { toolPolicy: '/none/policy.yaml' }, /the tool policy \/none/],
  ['the base policy', { basePolicy: { version: 9 } }, /the base policy cannot be used/],
  ['the tool lock', { toolLock: '/none/lock.yaml' }, /the tool lock/],
  ['the certificate', { tls: { certFile: '/none', keyFile: '/none' } }, /\/none/],
  ['the port', { host: '203.0.113.1' }, /EADDRNOTAVAIL/],
  ['the control socket', { runDir: '/proc/none' }, /\/proc\/none/],
])('fails by %s: the records end, and their file is free', async (_what, document, why) => {
  await expect(start(document)).rejects.toThrow(why)
  expect(events()).toEqual(['begin', 'end'])
  expect(existsSync(join(dir, '.audit.jsonl.lock'))).toBe(false)
})

test('the last records reach a collector that takes longer than usual', async () => {
  let asked = 0
  const collector = createServer((request, response) => {
    const delayMs = ++asked === 1 ? 0 : 2200
    request.resume().on('end', () => setTimeout(() => response.end(), delayMs))
  })
  const endpoint = `http://127.0.0.1:${await listening(collector)}`
  const kept = keptLog()
  const document = { toolPolicy: '/none/policy.yaml', audit: { otlp: { endpoint } } }
  await expect(start(document, kept)).rejects.toThrow('/none/policy.yaml')
  expect(kept.lines.filter((line) => line.includes('audit records'))).toEqual([])
  expect(asked).toBeGreaterThan(1)
  collector.closeAllConnections()
  await new Promise((resolve) => collector.close(resolve))
})
