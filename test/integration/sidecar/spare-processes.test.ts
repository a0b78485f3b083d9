// A session that does not wait for a slow start: its process was there before it, and was nobody's. What is seen is what a file
// lets happen, and no clock.

import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { adminOf, type Admin } from '../../support/admin.ts'
import { freePort } from '../../support/free-port.ts'
import { startOutrigger, type Bridge } from '../../support/outrigger-run.ts'
import { askModern, modernCall, openLegacy, textOf } from '../../support/puppet.ts'
import { until } from '../../support/waiting.ts'

const SLOW = fileURLToPath(new URL('../../fixtures/slow-server.ts', import.meta.url))

let folder: string
let bridge: Bridge
let admin: Admin

const file = (name: string): string => join(folder, name)
const linesOf = (name: string): readonly string[] =>
  readFileSync(file(name), 'utf8').split('\n').slice(0, -1)
const go = (): void => writeFileSync(file('go'), '')

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'spare-'))
  for (const name of ['started', 'asked', 'warm']) writeFileSync(file(name), '')
  go()
  const port = await freePort()
  bridge = await startOutrigger([process.execPath, SLOW, folder], {
    flags: [`--admin-port=${port}`, '--egress-mode=enforce', '--spare-processes=1'],
  })
  admin = adminOf(port)
})

afterAll(async () => {
  await bridge.stop()
  rmSync(folder, { recursive: true })
})

/** The process that is nobody's, once it is there and it, as all others that were started, would answer. */
const spare = (): Promise<string> =>
  until(async () => {
    const { text } = await admin.get('/metrics')
    const [, started] = /^outrigger_spawns_total\{outcome="started"\} (\d+)$/m.exec(text) ?? []
    const isThere = /^outrigger_spare_processes 1$/m.test(text)
    return isThere && linesOf('warm').length === Number(started) && linesOf('started').at(-1)
  }, 'a spare process is there')

beforeEach(go)

test('a session has the process that was there, though no other could start, and another is made', async () => {
  const pid = await spare()
  // Whatever starts from now on is not there before the file is.
  rmSync(file('go'))
  const before = linesOf('started').length
  const session = await openLegacy(bridge.url)
  expect(await session.call('pid')).toBe(pid)
  await until(() => linesOf('started').length > before, 'it is made up for')
  expect((await admin.get('/metrics')).text).toContain('outrigger_spawns_total{outcome="spare"} 1')
  go()
  await session.end()
})

test('a modern caller has it, too', async () => {
  const pid = await spare()
  rmSync(file('go'))
  expect(textOf(await askModern(bridge.url, modernCall('pid')))).toBe(pid)
})

test('it reaches nothing before somebody has it', async () => {
  const pid = await spare()
  const asked = (): readonly string[] => linesOf('asked').filter((line) => line.startsWith(pid))
  // The proxy does not know its credential.
  expect(asked()).toEqual([`${pid} 407`])
  const session = await openLegacy(bridge.url)
  expect(await session.call('pid')).toBe(pid)
  writeFileSync(file('again'), '')
  await until(() => asked().length > 1, 'it has asked again')
  // Known now, and told that nobody has declared that.
  expect(asked()).toEqual([`${pid} 407`, `${pid} 403`])
  await session.end()
})

test('one that ends is told of, and made up for', async () => {
  const pid = await spare()
  process.kill(Number(pid), 'SIGKILL')
  await admin.reaches('outrigger_spare_failures', 1)
  expect((await admin.get('/readyz')).text).toContain('spare processes do not last')
  const next = await until(async () => {
    const one = await spare()
    return one !== pid && one
  }, 'another is there')
  const session = await openLegacy(bridge.url)
  expect(await session.call('pid')).toBe(next)
  await admin.reaches('outrigger_spare_failures', 0)
  await session.end()
})
