// An official server that knows the modern era alone, through `translate-eras`: SDK 1.x, which knows the legacy one alone, gets
// what it gets of one that speaks its own.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { fileURLToPath } from 'node:url'
import { connectClientOne } from '../../support/client-one.ts'
import { connectClientTwo } from '../../support/client-two.ts'
import type { McpClient } from '../../support/mcp-client.ts'
import { startOutrigger, type Bridge } from '../../support/outrigger-run.ts'
import {
  testsOfEitherEra,
  testsOfSessions,
  UPDATED,
  WATCHED,
} from '../../support/served-fixture.ts'

const FIXTURE = fileURLToPath(new URL('../../fixtures/conformance-server.ts', import.meta.url))
const EMULATED = { flags: ['--translate-eras', 'true'] }

describe('a modern server', () => {
  let bridge: Bridge
  let client: McpClient
  let native: Bridge
  let other: McpClient

  beforeAll(async () => {
    bridge = await startOutrigger([process.execPath, FIXTURE, '--modern'], EMULATED)
    client = await connectClientOne(bridge.url)
    native = await startOutrigger([process.execPath, FIXTURE, '--legacy'], EMULATED)
    other = await connectClientOne(native.url)
  })

  afterAll(async () => {
    await client.close()
    await other.close()
    await bridge.stop()
    await native.stop()
  })

  test('is served in a session', () => {
    expect([client.era, client.revision]).toEqual(['legacy', '2025-11-25'])
    expect(client.sessionId).toBeDefined()
  })

  test('lists what it has as a legacy one does', async () => {
    const lists = async (of: McpClient): Promise<unknown> => [
      await of.listTools(),
      await of.listPrompts(),
      await of.listResources(),
      await of.listTemplates(),
    ]
    const [here, there] = [await lists(client), await lists(other)]
    expect(JSON.stringify(here)).toContain('test_simple_text')
    expect(here).toEqual(there)
  })

  test.each([
    ['no-such-tool', {}],
    ['echo', { text: 1 }],
    ['test_x_mcp_header', {}],
    ['test_error_handling', {}],
  ])('answers %s %j as a legacy one does', async (tool, args) => {
    const [here, there] = await Promise.all(
      [client, other].map((one) => one.call(tool, args).catch((error: unknown) => ({ error }))),
    )
    expect(here).toEqual(there)
  })

  test('hears that its client will not say', async () => {
    client.answers.sampling = () => {
      throw new Error('I will not')
    }
    await expect(client.call('test_sampling', { prompt: 'x' })).rejects.toThrow('I will not')
    expect(await client.call('echo', { text: 'and now' })).toMatchObject({
      content: [{ text: 'and now' }],
    })
  })

  test('logs as loud as its client wants', async () => {
    const line = (): Promise<unknown> => client.notifications.next('notifications/message')
    await client.call('test_tool_with_logging')
    for (const data of ['started', 'data', 'completed']) {
      expect(await line()).toMatchObject({ level: 'info', data: expect.stringContaining(data) })
    }
    await client.setLevel('error')
    await client.call('test_tool_with_logging')
    await client.ping()
    expect(client.notifications.count('notifications/message')).toBe(0)
    await client.setLevel('debug')
    await client.call('test_tool_with_logging')
    expect(await line()).toMatchObject({ data: expect.stringContaining('started') })
  })

  test('tells no more of what its client has unsubscribed from', async () => {
    await client.subscribe(WATCHED)
    await client.call('test_update_watched_resource')
    await client.notifications.next(UPDATED)
    await client.unsubscribe(WATCHED)
    await client.call('test_update_watched_resource')
    await client.ping()
    expect(client.notifications.count(UPDATED)).toBe(0)
  })

  test('serves modern clients beside it', async () => {
    const modern = await connectClientTwo(bridge.url)
    expect(modern.era).toBe('modern')
    expect(await modern.call('echo', { text: 'x' })).toMatchObject({ content: [{ text: 'x' }] })
    await modern.close()
  })

  testsOfEitherEra(() => client)
  testsOfSessions(() => bridge.url)
})
