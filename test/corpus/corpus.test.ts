// Real servers from npm and PyPI through `outrigger run`: every client hears exactly what it hears over stdio.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
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

let own: Installed

beforeAll(async () => {
  own = await makeOwn()
  await installAll(SERVERS)
})
afterAll(() => rmSync(own.folder, { recursive: true, force: true }))

describe.each(SERVERS)('$name of $from', (server) => {
  let launch: Launch
  let bridge: Bridge | undefined

  beforeAll(async () => {
    launch = await launchOf(server, own)
    bridge = await startOutrigger(launch.command, { env: launch.env })
  })

  afterAll(() => bridge?.stop())

  test.each(CLIENTS)('$client', async ({ talk }) => {
    const call = { tool: server.tool, args: server.call?.(own) ?? {} }
    const [direct, bridged] = await Promise.all([
      talk({ launch }, call),
      talk({ url: bridge?.url ?? '' }, call),
    ])
    expect(direct[0]).toMatchObject({ step: 'initialize', result: expect.anything() })
    expect(direct.length).toBeGreaterThanOrEqual(4)
    expect(bridged).toEqual(direct)
  })
})
