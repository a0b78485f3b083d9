// The official servers, which know the legacy era alone, through `outrigger run --translate-eras true`: client 2.x, which
// asks for the modern era first and stays there, gets what SDK 1.x gets in a session.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Reply } from '../../support/client-answers.ts'
import { connectClientOne } from '../../support/client-one.ts'
import { connectClientTwo } from '../../support/client-two.ts'
import type { McpClient } from '../../support/mcp-client.ts'
import { serverCommand, startOutrigger, type Bridge } from '../../support/outrigger-run.ts'

const FIXTURE = fileURLToPath(new URL('../../fixtures/conformance-server.ts', import.meta.url))

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'outrigger-translated-'))
  writeFileSync(join(directory, 'note.txt'), 'Grüße 👋🏽\n')
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** Without how a tool may be called as a task, which the modern era has no word for. */
const plain = ({ execution: _execution, ...tool }: Reply): Reply => tool

/** What a call gives, without what only the modern era says of it. */
const given = ({ content, structuredContent, isError }: Reply): Reply => ({
  content,
  structuredContent,
  isError,
})

type Call = { readonly tool: string; readonly args?: Reply }

const SERVERS: readonly {
  readonly server: string
  readonly args: () => readonly string[]
  readonly calls: () => readonly Call[]
}[] = [
  {
    server: '@modelcontextprotocol/server-everything',
    args: () => ['stdio'],
    calls: () => [
      { tool: 'echo', args: { message: 'Grüße \u2028 👋🏽 \r\n' } },
      { tool: 'echo', args: { message: 'x'.repeat(300_000) } },
      { tool: 'get-sum', args: { a: 2, b: 3.5 } },
      { tool: 'get-structured-content', args: { location: 'Chicago' } },
      { tool: 'get-annotated-message', args: { messageType: 'error', includeImage: true } },
      { tool: 'get-resource-links', args: { count: 3 } },
      { tool: 'echo', args: {} },
      { tool: 'no-such-tool' },
    ],
  },
  {
    server: '@modelcontextprotocol/server-filesystem',
    args: () => [directory],
    calls: () => [
      { tool: 'read_text_file', args: { path: join(directory, 'note.txt') } },
      { tool: 'read_text_file', args: { path: '/etc/passwd' } },
      { tool: 'list_directory', args: { path: directory } },
    ],
  },
  {
    server: '@modelcontextprotocol/server-memory',
    args: () => [],
    calls: () => [
      { tool: 'read_graph' },
      { tool: 'search_nodes', args: { query: 'Ada' } },
      { tool: 'add_observations', args: { observations: [{ entityName: 'x', contents: ['y'] }] } },
    ],
  },
  {
    server: '@modelcontextprotocol/server-sequential-thinking',
    args: () => [],
    calls: () => [
      {
        tool: 'sequentialthinking',
        args: { thought: 'one', thoughtNumber: 1, totalThoughts: 1, nextThoughtNeeded: false },
      },
      { tool: 'sequentialthinking', args: { thought: 1 } },
    ],
  },
]

describe.each(SERVERS)('$server', ({ server, args, calls }) => {
  let bridge: Bridge
  let legacy: McpClient
  let modern: McpClient

  beforeAll(async () => {
    bridge = await startOutrigger(serverCommand(server, ...args()), {
      flags: ['--translate-eras', 'true'],
      env: { MEMORY_FILE_PATH: join(directory, 'graph.jsonl') },
    })
    legacy = await connectClientOne(bridge.url)
    modern = await connectClientTwo(bridge.url)
  })

  afterAll(async () => {
    await modern.close()
    await legacy.close()
    await bridge.stop()
  })

  test('serves the modern client in its era, with the same instructions', () => {
    expect([modern.era, modern.revision]).toEqual(['modern', '2026-07-28'])
    expect(modern.sessionId).toBeUndefined()
    expect(modern.instructions).toEqual(legacy.instructions)
  })

  test('lists its tools as in a session', async () => {
    const [one, two] = [await legacy.listTools(), await modern.listTools()]
    expect(two.length).toBeGreaterThan(0)
    expect(two.map((tool) => plain({ ...tool }))).toEqual(one.map((tool) => plain({ ...tool })))
  })

  test('answers each call as in a session', async () => {
    for (const call of calls()) {
      const [one, two] = [legacy, modern].map((client) =>
        client.call(call.tool, call.args).then(given, (error: unknown) => ({ error })),
      )
      expect(await two).toEqual(await one)
    }
  })
})

/** A server, and a client of the modern era before it, for the tests of a `describe`. */
const translated = (command: readonly string[]): (() => McpClient) => {
  let bridge: Bridge
  let client: McpClient
  beforeAll(async () => {
    bridge = await startOutrigger(command, { flags: ['--translate-eras', 'true'] })
    client = await connectClientTwo(bridge.url)
  })
  afterAll(async () => {
    await client.close()
    await bridge.stop()
  })
  return () => client
}

describe('server-everything, in the modern era', () => {
  const connected = translated(serverCommand('@modelcontextprotocol/server-everything', 'stdio'))

  test('prompts, resources, templates and completion', async () => {
    const client = connected()
    expect((await client.listPrompts()).length).toBeGreaterThan(0)
    const args = { city: 'Bern', state: 'BE' }
    expect(await client.getPrompt('args-prompt', args)).toMatchObject({
      messages: [{ content: { text: expect.stringContaining('Bern') } }],
    })
    const [first] = await client.listResources()
    expect(await client.read(first?.uri ?? '')).toMatchObject({ contents: [{ uri: first?.uri }] })
    expect((await client.listTemplates()).length).toBeGreaterThan(0)
    const of = { type: 'ref/prompt', name: 'completable-prompt' } as const
    const argument = { name: 'department', value: 'E' }
    expect(await client.complete({ of, argument })).toEqual(['Engineering'])
  })

  test('what the server asks of its client is asked in the answer, and answered by the next request', async () => {
    const client = connected()
    client.answers.elicitation = ({ message }) => {
      expect(message).toEqual(expect.any(String))
      return { action: 'accept', content: { name: 'Ada', check: true } }
    }
    expect(JSON.stringify(await client.call('trigger-elicitation-request'))).toContain('Ada')
    client.answers.sampling = () => ({
      role: 'assistant',
      model: 'none',
      content: { type: 'text', text: 'Paris, of course' },
    })
    const args = { prompt: 'Capital?', maxTokens: 10 }
    const sampled = await client.call('trigger-sampling-request', args)
    expect(JSON.stringify(sampled)).toContain('Paris, of course')
  })

  test('calls at once are each answered with their own', async () => {
    const client = connected()
    const texts = Array.from({ length: 40 }, (_, index) => `text ${index}`)
    const answers = await Promise.all(texts.map((message) => client.call('echo', { message })))
    expect(answers.map(({ content }) => content)).toEqual(
      texts.map((message) => [{ type: 'text', text: `Echo: ${message}` }]),
    )
  })
})

describe('a server that asks nothing by itself', () => {
  const connected = translated([process.execPath, FIXTURE, '--legacy'])

  test('progress arrives in order, before the answer', async () => {
    const client = connected()
    const seen: unknown[] = []
    await client.call(
      'test_tool_with_progress',
      {},
      { onProgress: ({ progress }) => void seen.push(progress) },
    )
    expect(seen).toEqual([0, 50, 100])
  })

  test('several things at once, and one after the other', async () => {
    const client = connected()
    const contents = [{ name: 'Ada' }, { name: 'Ada' }, { color: 'blue' }]
    client.answers.elicitation = () => {
      const content = contents.shift()
      return content === undefined ? { action: 'cancel' } : { action: 'accept', content }
    }
    client.answers.sampling = () => ({
      role: 'assistant',
      model: 'none',
      content: { type: 'text', text: 'Hello' },
    })
    client.answers.roots = () => [{ uri: 'file:///srv', name: 'Srv' }]
    expect(await client.call('test_input_required_result_multiple_inputs')).toMatchObject({
      content: [{ text: 'All 3 answered' }],
    })
    expect(await client.call('test_input_required_result_multi_round')).toMatchObject({
      content: [{ text: 'Ada likes blue' }],
    })
  })
})
