// Real servers from npm and PyPI through `outrigger run`: every client hears exactly what it hears over stdio, one of the
// modern era also where the sidecar translates, and two processes of a server make the same tool lock.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { describeServer } from '../../cli/tools/described.ts'
import { HttpTalk } from '../../cli/tools/http-talk.ts'
import { changesSince, documentOf, lockText } from '../../cli/tools/lock-document.ts'
import { readLock } from '../../shared/lock/lock.ts'
import { LOCKED_KINDS } from '../../shared/lock/kinds.ts'
import { rmSync } from 'node:fs'
import { startOutrigger, type Bridge } from '../support/outrigger-run.ts'
import { inBothEras } from './both-eras.ts'
import { installAll, launchOf, makeOwn, type Installed, type Launch } from './install.ts'
import { PythonClient } from './python-client.ts'
import { rawClient } from './raw-client.ts'
import { Report } from './report.ts'
import { sdkOne, sdkTwo } from './sdk-clients.ts'
import { SERVERS } from './servers.ts'
import { revisionIn, type Call, type Step, type Way } from './transcript.ts'

const ofPython = [new PythonClient('mcp'), new PythonClient('fastmcp')] as const

const CLIENTS = [
  { client: 'a client that compares bytes', talk: rawClient },
  { client: 'SDK 1.x', talk: sdkOne },
  { client: 'client 2.x', talk: sdkTwo, isModern: true },
  { client: 'mcp of Python', talk: ofPython[0].talk, isModern: true },
  { client: 'fastmcp', talk: ofPython[1].talk, isModern: true },
] as const

/** Those that ask for the modern era first. */
const MODERN_CLIENTS = CLIENTS.filter((one) => 'isModern' in one)
const MODERN = '2026-07-28'

type Talk = (way: Way, call: Call) => Promise<readonly Step[]>

/** What a session's own process says of itself, and the lock of it. */
const lockOf = async (url: string) => {
  const { signal } = new AbortController()
  const talk = new HttpTalk({ url, token: undefined, timeoutMs: 60_000, signal })
  const described = await describeServer(talk)
  await talk.close()
  if (!described.ok) throw new Error(described.error)
  const document = documentOf(described.value, LOCKED_KINDS, 'enforce')
  const text = document.ok ? lockText(document.value) : document
  if (!text.ok) throw new Error(String(text.error))
  return { described: described.value, text: text.value }
}

/** So many servers there are at least, and so many of them make the same tool lock twice. */
const LEAST = 30
const LEAST_LOCKED = 30
let locked = 0
const report = new Report()

let own: Installed

/** The first time, and as slow as registries may be. */
const INSTALL_LIMIT_MS = 1_800_000

beforeAll(async () => {
  own = await makeOwn()
  await installAll(SERVERS)
}, INSTALL_LIMIT_MS)
afterAll(async () => {
  process.stdout.write(report.text)
  await Promise.all(ofPython.map((one) => one.close()))
  rmSync(own.folder, { recursive: true, force: true })
})

describe.each(SERVERS)('$name of $from', (server) => {
  let launch: Launch
  let bridge: Bridge | undefined
  let call: Call
  /** What each client hears of a process of its own. */
  const direct = new Map<Talk, Promise<readonly Step[]>>()
  const directly = (talk: Talk): Promise<readonly Step[]> => {
    const heard = direct.get(talk) ?? talk({ launch }, call)
    direct.set(talk, heard)
    return heard
  }
  const url = (): string => bridge?.url ?? ''

  beforeAll(async () => {
    launch = await launchOf(server, own)
    call = { tool: server.tool, args: server.call?.(own) ?? {} }
    bridge = await startOutrigger(launch.command, { env: launch.env })
  })

  afterAll(() => bridge?.stop())

  test.each(CLIENTS)('$client', async ({ client, talk }) => {
    const [heard, bridged] = await Promise.all([directly(talk), talk({ url: url() }, call)])
    report.compared(server, { client, way: 'through the sidecar' }, heard, bridged)
    expect(heard[0]).toMatchObject({ step: 'initialize', result: expect.anything() })
    expect(heard.length).toBeGreaterThanOrEqual(4)
    expect(bridged).toEqual(heard)
  })

  describe('translated', () => {
    let translating: Bridge | undefined
    const start = async (): Promise<void> => {
      await translating?.stop()
      const flags = ['--translate-eras', 'true']
      translating = await startOutrigger(launch.command, { env: launch.env, flags })
    }
    beforeAll(start)
    afterAll(() => translating?.stop())

    test.each(MODERN_CLIENTS)('$client', async ({ client, talk }) => {
      if (server.counts) await start()
      const bridged = await talk({ url: translating?.url ?? '' }, call)
      const heard = inBothEras(await directly(talk))
      report.compared(server, { client, way: 'translated' }, heard, inBothEras(bridged))
      expect(revisionIn(bridged)).toBe(MODERN)
      expect(heard.length).toBeGreaterThanOrEqual(3)
      expect(inBothEras(bridged)).toEqual(heard)
    })
  })

  test('a tool lock, the same from each of two processes', async () => {
    if (server.unlisted !== undefined) {
      await expect(lockOf(url())).rejects.toThrow(`asked for ${server.unlisted}, `)
      return
    }
    const [first, second] = [await lockOf(url()), await lockOf(url())]
    expect(second.text).toBe(first.text)
    const lock = readLock(first.text)
    expect(lock.ok && lock.value.kinds.get('tools')?.has(server.tool)).toBe(true)
    expect(lock.ok && changesSince(lock.value, second.described)).toEqual([])
    const kinds = lock.ok ? [...lock.value.kinds].map(([kind, all]) => `${all.size} ${kind}`) : []
    locked += 1
    report.locked(server, `, locked alike twice: ${kinds.join(', ')}`)
  })
})

test('there are enough servers, and tool locks of enough of them are the same twice', () => {
  expect(SERVERS.length).toBeGreaterThanOrEqual(LEAST)
  expect(locked).toBeGreaterThanOrEqual(LEAST_LOCKED)
})
