// @modelcontextprotocol/server-memory through `outrigger run`: a knowledge graph by every tool, its
// resource, and the updates that a subscriber gets.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CLIENTS } from '../../support/clients.ts'
import type { McpClient } from '../../support/mcp-client.ts'
import { serverCommand, startOutrigger, type Bridge } from '../../support/outrigger-run.ts'

const GRAPH_URI = 'memory://knowledge-graph'
const UPDATED = 'notifications/resources/updated'

const TOOLS = [
  'add_observations',
  'create_entities',
  'create_relations',
  'delete_entities',
  'delete_observations',
  'delete_relations',
  'open_nodes',
  'read_graph',
  'search_nodes',
]

const ADA = { name: 'Ada', entityType: 'person', observations: ['wrote notes'] }
const ENGINE = { name: 'Engine', entityType: 'machine', observations: ['wörks 你好 👋🏽'] }
const BUILT = { from: 'Ada', to: 'Engine', relationType: 'described' }

describe.each(CLIENTS)('server-memory, $client', ({ connect }) => {
  let directory: string
  let file: string
  let bridge: Bridge
  let client: McpClient

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'outrigger-memory-'))
    file = join(directory, 'graph.jsonl')
    bridge = await startOutrigger(serverCommand('@modelcontextprotocol/server-memory'), {
      env: { MEMORY_FILE_PATH: file },
    })
    client = await connect(bridge.url)
  })

  afterAll(async () => {
    await client.close()
    await bridge.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  test('lists its tools and its resource', async () => {
    expect((await client.listTools()).map(({ name }) => name).sort()).toEqual(TOOLS)
    expect(await client.listResources()).toMatchObject([
      { uri: GRAPH_URI, name: 'knowledge-graph', mimeType: 'application/json' },
    ])
  })

  // Each row builds on those before it, as a conversation would.
  test.each([
    {
      tool: 'create_entities',
      args: { entities: [ADA, ENGINE] },
      gives: { entities: [ADA, ENGINE] },
    },
    { tool: 'create_entities', args: { entities: [ADA] }, gives: { entities: [] } },
    {
      tool: 'create_relations',
      args: { relations: [BUILT] },
      gives: { relations: [BUILT] },
    },
    {
      tool: 'add_observations',
      args: { observations: [{ entityName: 'Ada', contents: ['wrote notes', 'likes maths'] }] },
      gives: { results: [{ entityName: 'Ada', addedObservations: ['likes maths'] }] },
    },
    {
      tool: 'search_nodes',
      args: { query: '你好' },
      gives: { entities: [ENGINE] },
    },
    {
      tool: 'open_nodes',
      args: { names: ['Ada', 'Engine', 'Nobody'] },
      gives: {
        entities: [{ ...ADA, observations: ['wrote notes', 'likes maths'] }, ENGINE],
        relations: [BUILT],
      },
    },
    {
      tool: 'delete_observations',
      args: { deletions: [{ entityName: 'Ada', observations: ['likes maths'] }] },
      gives: { success: true },
    },
    {
      tool: 'read_graph',
      args: {},
      gives: { entities: [ADA, ENGINE], relations: [BUILT] },
    },
    { tool: 'delete_relations', args: { relations: [BUILT] }, gives: { success: true } },
    { tool: 'delete_entities', args: { entityNames: ['Engine'] }, gives: { success: true } },
    { tool: 'read_graph', args: {}, gives: { entities: [ADA], relations: [] } },
  ])('$tool with $args', async ({ tool, args, gives }) => {
    const result = await client.call(tool, args)
    expect(result).toMatchObject({ structuredContent: gives, content: [{ type: 'text' }] })
    expect(result['isError']).toBeUndefined()
  })

  test('is on the disk as it was told', () => {
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ type: 'entity', ...ADA })
  })

  test('the resource shows the graph', async () => {
    expect(await client.read(GRAPH_URI)).toMatchObject({
      contents: [
        { uri: GRAPH_URI, mimeType: 'application/json', text: expect.stringContaining('Ada') },
      ],
    })
  })

  test('an observation of somebody unknown is an error of the tool', async () => {
    const observations = [{ entityName: 'Nobody', contents: ['x'] }]
    expect(await client.call('add_observations', { observations })).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('Nobody') }],
    })
  })

  test('a subscriber is told of each change, until it unsubscribes', async () => {
    await client.subscribe(GRAPH_URI)
    await client.call('create_entities', { entities: [ENGINE] })
    expect(await client.notifications.next(UPDATED)).toEqual({ uri: GRAPH_URI })
    await client.call('delete_entities', { entityNames: ['Engine'] })
    expect(await client.notifications.next(UPDATED)).toEqual({ uri: GRAPH_URI })
    await client.unsubscribe(GRAPH_URI)
    await client.call('create_entities', { entities: [ENGINE] })
    expect(client.notifications.count(UPDATED)).toBe(0)
  })

  test('a change in one session tells no other', async () => {
    const other = await connect(bridge.url)
    try {
      await client.subscribe(GRAPH_URI)
      await other.call('delete_entities', { entityNames: ['Engine'] })
      await client.call('read_graph')
      expect(client.notifications.count(UPDATED)).toBe(0)
    } finally {
      await other.close()
    }
  })
})
