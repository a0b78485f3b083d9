// The room for a pod's records: what a sidecar writes by what the webhook tells it stays below what its volume may hold.

import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { Chain, membersOf } from '../../../shared/audit/chain.ts'
import { parseSettings } from '../../../shared/settings.ts'
import { parseSidecarConfig } from '../../../shared/sidecar-config.ts'
import { FileSink } from '../../../sidecar/audit/file-sink.ts'
import { auditIn, auditVolume } from '../../../webhook/inject/audit.ts'

const MIB = 1024 * 1024

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'audit-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const settingsWith = (size: string) => {
  const settings = parseSettings({ 'audit-sink': 'file', 'audit-size': size })
  if (!settings.ok) throw new Error(settings.error.join())
  return settings.value
}

/** As the kubelet counts. */
const usedBytes = (): number =>
  readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).blocks * 512, 0)

test('whatever is written, the volume is never full', async () => {
  const config = parseSidecarConfig(auditIn(settingsWith('8Mi'), {}, {}))
  const audit = config.ok ? config.value.audit : undefined
  if (!audit) throw new Error('no records')
  const { maxFileBytes, keepBytes } = audit
  const options = {
    path: join(dir, 'audit.jsonl'),
    maxFileBytes,
    maxFileAgeMs: 1e9,
    keepBytes,
    waits: true,
    now: () => performance.now(),
  }
  const { sink } = await FileSink.open(options, 0)
  let most = 0
  // A batch, each character of which may be three bytes, and the record that was one too many.
  const own = new Chain({ instance: 'one', server: 'local', prev: '' })
  const record = () => Buffer.from(own.line(membersOf({ event: 'process-start', process: 1 }), 0))
  const batchOf = (first: Buffer) => Buffer.concat([first, Buffer.alloc(832 * 1024, '\n')])
  for (let count = 0; count < 40; count++) {
    const batch = batchOf(record())
    const rotated = await sink.rotate(batch.length, 0)
    await sink.write(batch)
    most = Math.max(most, usedBytes())
    await rotated?.prune()
  }
  await sink.close()
  expect(most).toBeGreaterThan(4 * MIB)
  expect(most).toBeLessThan(8 * MIB)
})

test.each([
  ['8Mi', '8Mi'],
  ['65536Ki', '64Mi'],
  ['1024Mi', '1Gi'],
])('the limit for %s stands there as the API server writes it', (size, sizeLimit) => {
  expect(auditVolume(settingsWith(size), {})).toEqual({ sizeLimit })
})
