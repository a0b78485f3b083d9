// Real servers from npm and PyPI through `outrigger run`: every client hears exactly what it hears over stdio, and two
// processes of a server make the same tool lock.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { describeServer } from '../../cli/tools/described.ts'
import { HttpTalk } from '../../cli/tools/http-talk.ts'
import { changesSince, documentOf, lockText } from '../../cli/tools/lock-document.ts'
import { readLock } from '../../shared/lock/lock.ts'
import { LOCKED_KINDS } from '../../shared/lock/kinds.ts'
import { rmSync } from 'node:fs'
import { startOutrigger, type Bridge } from '../support/outrigger-run.ts'
import { installAll, launchOf, makeOwn, type Installed, type Launch } from './install.ts'
import { pythonClient } from './python-clients.ts'
import { rawClient } from './raw-client.ts'
import { sdkOne, sdkTwo } from './sdk-clients.ts'
import { SERVERS } from './servers.ts'

const CLIENTS = [
  { client: 'a client that compares bytes', talk: rawClient },
  { client: 'SDK 1.x', talk: sdkOne },
  { client: 'client 2.x', talk: sdkTwo },
  { client: 'mcp of Python', talk: pythonClient('mcp') },
  { client: 'fastmcp', talk: pythonClient('fastmcp') },
] as const

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

/** So many of them have to make the same tool lock twice. */
const LEAST_LOCKED = 20
const locked: string[] = []

let own: Installed

/** The first time, and as slow as registries may be. */
const INSTALL_LIMIT_MS = 1_800_000

beforeAll(async () => {
  own = await makeOwn()
  await installAll(SERVERS)
}, INSTALL_LIMIT_MS)
afterAll(() => rmSync(own.folder, { recursive: true, force: true }))

describe.each(SERVERS)('$name of $from', (server) => {
  let launch: Launch
  let bridge: Bridge | undefined
  const url = (): string => bridge?.url ?? ''

  beforeAll(async () => {
    launch = await launchOf(server, own)
    bridge = await startOutrigger(launch.command, { env: launch.env })
  })

  afterAll(() => bridge?.stop())

  test.each(CLIENTS)('$client', async ({ talk }) => {
    const call = { tool: server.tool, args: server.call?.(own) ?? {} }
    const [direct, bridged] = await Promise.all([
      talk({ launch }, call),
      talk({ url: url() }, call),
    ])
    expect(direct[0]).toMatchObject({ step: 'initialize', result: expect.anything() })
    expect(direct.length).toBeGreaterThanOrEqual(4)
    expect(bridged).toEqual(direct)
  })

  test('a tool lock, the same from each of two processes', async () => {
    if (server.listsNothingAlone) {
      await expect(lockOf(url())).rejects.toThrow(/^asked for tools\/list, /)
      return
    }
    const [first, second] = [await lockOf(url()), await lockOf(url())]
    expect(second.text).toBe(first.text)
    const lock = readLock(first.text)
    expect(lock.ok && lock.value.kinds.get('tools')?.has(server.tool)).toBe(true)
    expect(lock.ok && changesSince(lock.value, second.described)).toEqual([])
    const kinds = lock.ok ? [...lock.value.kinds].map(([kind, all]) => `${all.size} ${kind}`) : []
    locked.push(`${server.from.padEnd(4)} ${server.name} ${server.version}: ${kinds.join(', ')}`)
  })
})

test('tool locks: those of enough servers are the same twice', () => {
  process.stdout.write(`locked alike twice, ${locked.length} servers:\n  ${locked.join('\n  ')}\n`)
  expect(locked.length).toBeGreaterThanOrEqual(LEAST_LOCKED)
})
