// @modelcontextprotocol/server-sequential-thinking through `outrigger run`: its one tool, which keeps
// a history, and so shows whether sessions are kept apart.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { CLIENTS } from '../../support/clients.ts'
import type { McpClient } from '../../support/mcp-client.ts'
import { serverCommand, startOutrigger, type Bridge } from '../../support/outrigger-run.ts'

const TOOL = 'sequentialthinking'

const thought = (thoughtNumber: number, more: object = {}) => ({
  thought: `Thought ${thoughtNumber}: Grüße 👋🏽`,
  thoughtNumber,
  totalThoughts: 3,
  nextThoughtNeeded: true,
  ...more,
})

let bridge: Bridge

beforeAll(async () => {
  bridge = await startOutrigger(serverCommand('@modelcontextprotocol/server-sequential-thinking'))
})

afterAll(() => bridge.stop())

describe.each(CLIENTS)('server-sequential-thinking, $client', ({ connect }) => {
  let client: McpClient

  beforeAll(async () => {
    client = await connect(bridge.url)
  })

  afterAll(() => client.close())

  test('lists its tool with both schemas', async () => {
    expect(await client.listTools()).toMatchObject([
      {
        name: TOOL,
        inputSchema: { required: expect.arrayContaining(['thought']) },
        outputSchema: { required: expect.arrayContaining(['thoughtHistoryLength']) },
      },
    ])
  })

  // Each row builds on those before it.
  test.each([
    {
      name: 'a first thought',
      args: thought(1),
      gives: { thoughtNumber: 1, thoughtHistoryLength: 1, branches: [], nextThoughtNeeded: true },
    },
    {
      name: 'a revision',
      args: thought(2, { isRevision: true, revisesThought: 1 }),
      gives: { thoughtNumber: 2, thoughtHistoryLength: 2 },
    },
    {
      name: 'a branch',
      args: thought(3, { branchFromThought: 1, branchId: 'b' }),
      gives: { thoughtHistoryLength: 3, branches: ['b'] },
    },
    {
      name: 'one more than planned',
      args: thought(5, { needsMoreThoughts: true }),
      gives: { thoughtNumber: 5, totalThoughts: 5, thoughtHistoryLength: 4 },
    },
    {
      name: 'numbers and truth as text',
      args: thought(6, { totalThoughts: '6', nextThoughtNeeded: 'false' }),
      gives: { totalThoughts: 6, nextThoughtNeeded: false, thoughtHistoryLength: 5 },
    },
  ])('$name', async ({ args, gives }) => {
    const result = await client.call(TOOL, args)
    expect(result).toMatchObject({ structuredContent: gives })
    expect(result['content']).toEqual([
      { type: 'text', text: JSON.stringify(result['structuredContent'], null, 2) },
    ])
  })

  test('a thought that is none is an error of the tool', async () => {
    expect(await client.call(TOOL, { thought: 1 })).toMatchObject({ isError: true })
  })

  test('another session has a history of its own', async () => {
    const other = await connect(bridge.url)
    try {
      expect(other.sessionId).not.toBe(client.sessionId)
      expect(await other.call(TOOL, thought(1))).toMatchObject({
        structuredContent: { thoughtHistoryLength: 1, branches: [] },
      })
      expect(await client.call(TOOL, thought(7))).toMatchObject({
        structuredContent: { thoughtHistoryLength: 6, branches: ['b'] },
      })
    } finally {
      await other.close()
    }
  })
})
