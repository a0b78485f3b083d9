// The file of a tool policy, as it is read and changes.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createLog } from '../../../shared/log.ts'
import { fakeMetrics } from '../../support/fake-metrics.ts'
import { ANONYMOUS } from '../../../sidecar/access/principal.ts'
import { aMessage } from '../../support/messages.ts'
import { startPolicy, type StartedPolicy } from '../../../sidecar/policy/start-policy.ts'
import { until } from '../../support/waiting.ts'

const GOOD = 'version: 1\n'
const BLOCK = 'rules: [{ name: gone, effect: deny }]\n'

let folder: string
let path: string
let lines: string[]
let changes: number
let started: StartedPolicy | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrigger-policy-'))
  path = join(folder, 'policy.yaml')
  lines = []
  changes = 0
  started = undefined
})
afterEach(() => {
  started?.close()
  rmSync(folder, { recursive: true })
})

const log = createLog({ level: 'info', write: (line) => lines.push(line), now: () => 0 })
const start = async (base?: unknown) => {
  started = await startPolicy(
    { path, base },
    { log, metrics: fakeMetrics().metrics, now: () => performance.now() },
    () => (changes += 1),
  )
}
const told = (text: string) => until(() => lines.some((line) => line.includes(text)), text)

test.each([
  ['is not there', undefined, 'there is no such file'],
  ['is no policy', 'version: 2\nmode: x', 'version: must be 1; line 2, column 1: mode:'],
  ['is no UTF-8', Buffer.from([0xff]), 'it is no UTF-8'],
  ['is too large', 'x'.repeat(1024 * 1024 + 1), 'it exceeds 1048576 bytes'],
])('one that %s starts nothing', async (_what, text, why) => {
  if (text !== undefined) writeFileSync(path, text)
  await expect(start()).rejects.toThrow(why)
})

test('one that goes away, is broken and comes back keeps the last good one meanwhile', async () => {
  writeFileSync(path, GOOD)
  await start()
  rmSync(path)
  await told('there is no such file')
  writeFileSync(path, 'version: 3\n')
  await told('version: must be 1')
  expect(changes).toBe(0)
  writeFileSync(path, `${GOOD}mode: dry-run\n`)
  await told('"mode":"dry-run"')
  expect(changes).toBe(1)
})

test('a dry run is told', async () => {
  writeFileSync(path, `${GOOD}mode: dry-run\n`)
  await start()
  expect(lines.join('')).toContain('is a dry run')
})

const note = aMessage('{"jsonrpc":"2.0","method":"notifications/initialized"}')
const admits = (): boolean => started?.gate.judge(ANONYMOUS, note).fault === undefined

test('within a base policy each change of the file counts, and the base holds whatever it says', async () => {
  writeFileSync(path, `${GOOD}${BLOCK}`)
  await start({ version: 1, rules: [{ name: 'no-reads', effect: 'deny', tools: ['read'] }] })
  expect(started?.gate.admit(ANONYMOUS)).toMatchObject({ message: /gone/ })
  writeFileSync(path, `${GOOD}rules: [{ name: all, effect: allow, tools: ['*'] }]\n`)
  await until(() => changes === 1, 'the change')
  expect(started?.gate.admit(ANONYMOUS)).toBe(undefined)
  expect(admits()).toBe(true)
  const call = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read"}}'
  expect(started?.gate.judge(ANONYMOUS, aMessage(call))).toMatchObject({
    decision: { isAllowed: false, rule: 'base:no-reads' },
  })
})

test('a base policy alone needs no file, and its dry run is told', async () => {
  started = await startPolicy(
    { base: { version: 1, mode: 'dry-run', rules: [{ name: 'gone', effect: 'deny' }] } },
    { log, metrics: fakeMetrics().metrics, now: () => performance.now() },
    () => undefined,
  )
  expect(admits()).toBe(true)
  expect(lines.join('')).toContain('the base policy is a dry run')
})

test('a base policy that is none starts nothing', async () => {
  writeFileSync(path, GOOD)
  await expect(
    start({ version: 1, rules: [{ name: 'a', effect: 'deny', when: 'tool ==' }] }),
  ).rejects.toThrow(/the base policy cannot be used: rules\.0\.when: at character/)
})
