// A server that speaks both eras, through `outrigger run`: SDK 1.x is served in the legacy one, client
// 2.x in the modern one, at the same time on the same URL. What differs between the eras is told by
// the two describe blocks at the end.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { fileURLToPath } from 'node:url'
import { connectClientOne } from '../../support/client-one.ts'
import { connectClientTwo } from '../../support/client-two.ts'
import type { McpClient } from '../../support/mcp-client.ts'
import { startOutrigger, type Bridge } from '../../support/outrigger-run.ts'
import {
  TOOLS_CHANGED,
  UPDATED,
  WATCHED,
  testsOfEitherEra,
  testsOfSessions,
} from '../../support/served-fixture.ts'

const FIXTURE = fileURLToPath(new URL('../../fixtures/conformance-server.ts', import.meta.url))

const ROWS = [
  { client: 'SDK 1.x', connect: connectClientOne, era: 'legacy', revision: '2025-11-25' },
  { client: 'client 2.x', connect: connectClientTwo, era: 'modern', revision: '2026-07-28' },
] as const

let bridge: Bridge

beforeAll(async () => {
  bridge = await startOutrigger([process.execPath, FIXTURE])
})

afterAll(() => bridge.stop())

describe.each(ROWS)('a dual-era server, $client', ({ connect, era, revision }) => {
  let client: McpClient

  beforeAll(async () => {
    client = await connect(bridge.url)
  })

  afterAll(() => client.close())

  test(`is served in the ${era} era`, () => {
    expect([client.era, client.revision]).toEqual([era, revision])
    expect(client.sessionId === undefined).toBe(era === 'modern')
  })

  testsOfEitherEra(() => client)
})

describe('what is told without being asked', () => {
  testsOfSessions(() => bridge.url)

  test('to who listens, and only what it listens for', async () => {
    const client = await connectClientTwo(bridge.url)
    try {
      const subscription = await client.sdk.listen({ resourceSubscriptions: [WATCHED] })
      await client.call('test_trigger_tool_change')
      await client.call('test_update_watched_resource')
      expect(await client.notifications.next(UPDATED)).toMatchObject({ uri: WATCHED })
      expect(client.notifications.count(TOOLS_CHANGED)).toBe(0)
      await subscription.close()
      await client.call('test_update_watched_resource')
      await client.call('echo', { text: 'after it' })
      expect(client.notifications.count(UPDATED)).toBe(0)
    } finally {
      await client.close()
    }
  })
})
