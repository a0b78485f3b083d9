// @modelcontextprotocol/server-everything through `outrigger run`: every feature it has, by the
// official clients of both lines. The server speaks the legacy era only, so the 2.x client, which asks
// for the modern one first, must be told so in a way that makes it fall back.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'
import type { Reply } from '../../support/client-answers.ts'
import { CLIENTS } from '../../support/clients.ts'
import type { McpClient } from '../../support/mcp-client.ts'
import { serverCommand, startOutrigger, type Bridge } from '../../support/outrigger-run.ts'

const TOOLS = [
  'echo',
  'get-annotated-message',
  'get-env',
  'get-resource-links',
  'get-resource-reference',
  'get-roots-list',
  'get-structured-content',
  'get-sum',
  'get-tiny-image',
  'gzip-file-as-resource',
  'simulate-research-query',
  'toggle-simulated-logging',
  'toggle-subscriber-updates',
  'trigger-elicitation-request',
  'trigger-long-running-operation',
  'trigger-sampling-request',
  'trigger-url-elicitation',
]

const text = (expected: unknown): Reply => ({ content: [{ type: 'text', text: expected }] })
const containing = (part: string): unknown => expect.stringContaining(part)

const names = (tools: readonly { readonly name: string }[]): string[] =>
  tools.map(({ name }) => name).sort()

let bridge: Bridge

beforeAll(async () => {
  bridge = await startOutrigger(serverCommand('@modelcontextprotocol/server-everything', 'stdio'))
})

afterAll(() => bridge.stop())

describe.each(CLIENTS)('server-everything, $client', ({ client: kind, connect }) => {
  let client: McpClient

  beforeAll(async () => {
    client = await connect(bridge.url)
  })

  afterAll(() => client.close())

  test('is connected in the legacy era, in a session, with the instructions', () => {
    expect(client).toMatchObject({
      era: 'legacy',
      revision: '2025-11-25',
      sessionId: expect.stringMatching(/^[!-~]+$/),
      instructions: containing('Everything'),
    })
  })

  test('ping', async () => {
    await expect(client.ping()).resolves.toBeUndefined()
  })

  test('lists its tools, those too that depend on the capabilities', async () => {
    expect(names(await client.listTools())).toEqual(TOOLS)
  })

  describe('tools', () => {
    test.each([
      { name: 'text', message: 'hello' },
      { name: 'nothing', message: '' },
      { name: 'text beyond ASCII', message: 'Grüße, 你好, 👋🏽, \u{1F1E9}\u{1F1EA}, e\u0301' },
      { name: 'rare spaces and joiners', message: '\u00a0\u3000\u200d\u200b\u2028\u2029\ufeff' },
      { name: 'control characters', message: 'a\r\nb\tc\u0000d\u001b[0m' },
      { name: 'what looks like JSON', message: '{"jsonrpc":"2.0","id":1}\n[]' },
      { name: '256 KiB', message: 'x\u00e9'.repeat(128 * 1024) },
    ])('echo gives back $name', async ({ message }) => {
      expect(await client.call('echo', { message })).toEqual(text(`Echo: ${message}`))
    })

    test.each([
      { a: 2, b: 3, sum: '5' },
      { a: -0.5, b: 0.25, sum: '-0.25' },
      { a: 1e21, b: 1, sum: '1e+21' },
    ])('get-sum of $a and $b', async ({ a, b, sum }) => {
      expect(await client.call('get-sum', { a, b })).toEqual(
        text(`The sum of ${a} and ${b} is ${sum}.`),
      )
    })

    test.each([
      { location: 'New York', temperature: 33 },
      { location: 'Chicago', temperature: 36 },
      { location: 'Los Angeles', temperature: 73 },
    ])('get-structured-content of $location', async ({ location, temperature }) => {
      const result = await client.call('get-structured-content', { location })
      expect(result).toMatchObject({ structuredContent: { temperature } })
      expect(result).toEqual({
        ...text(JSON.stringify(result['structuredContent'])),
        structuredContent: result['structuredContent'],
      })
    })

    test.each([
      { messageType: 'error', priority: 1, audience: ['user', 'assistant'] },
      { messageType: 'success', priority: 0.7, audience: ['user'] },
      { messageType: 'debug', priority: 0.3, audience: ['assistant'] },
    ])('get-annotated-message: $messageType', async ({ messageType, priority, audience }) => {
      const result = await client.call('get-annotated-message', { messageType, includeImage: true })
      expect(result['content']).toEqual([
        { type: 'text', text: expect.any(String), annotations: { priority, audience } },
        {
          type: 'image',
          data: expect.any(String),
          mimeType: 'image/png',
          annotations: { priority: 0.5, audience: ['user'] },
        },
      ])
    })

    test('get-tiny-image', async () => {
      const image = z.object({
        content: z.tuple([z.unknown(), z.object({ data: z.string() })], z.unknown()),
      })
      const { content } = image.parse(await client.call('get-tiny-image'))
      expect(Buffer.from(content[1].data, 'base64').subarray(1, 4).toString()).toBe('PNG')
    })

    test('get-resource-links', async () => {
      const result = await client.call('get-resource-links', { count: 2 })
      expect(result['content']).toMatchObject([
        { type: 'text' },
        { type: 'resource_link', uri: 'demo://resource/dynamic/blob/1', name: 'Blob Resource 1' },
        { type: 'resource_link', uri: 'demo://resource/dynamic/text/2', name: 'Text Resource 2' },
      ])
    })

    test.each([
      { resourceType: 'Text', uri: 'demo://resource/dynamic/text/7', key: 'text' },
      { resourceType: 'Blob', uri: 'demo://resource/dynamic/blob/7', key: 'blob' },
    ])('get-resource-reference: $resourceType', async ({ resourceType, uri, key }) => {
      const result = await client.call('get-resource-reference', { resourceType, resourceId: 7 })
      expect(result['content']).toMatchObject([
        { type: 'text' },
        { type: 'resource', resource: { uri, [key]: expect.any(String) } },
        { type: 'text', text: containing(uri) },
      ])
    })

    test('get-env shows no secret of the sidecar', async () => {
      const { content } = z
        .object({ content: z.tuple([z.object({ text: z.string() })]) })
        .parse(await client.call('get-env'))
      const environment = z.record(z.string(), z.string()).parse(JSON.parse(content[0].text))
      expect(environment).toHaveProperty('PATH')
      expect(Object.keys(environment).filter((name) => /OUTRIGGER_CONFIG/.test(name))).toEqual([])
    })

    test.each([
      { name: 'an unknown tool', tool: 'no-such-tool', args: {}, says: 'no-such-tool' },
      { name: 'a wrong argument', tool: 'get-sum', args: { a: 'x', b: 1 }, says: 'number' },
      { name: 'a missing argument', tool: 'echo', args: {}, says: 'message' },
    ])('$name is an error of the tool', async ({ tool, args, says }) => {
      expect(await client.call(tool, args)).toMatchObject({
        isError: true,
        ...text(containing(says)),
      })
    })
  })

  describe('a file compressed as a resource', () => {
    const args = { name: 'a.gz', data: 'data:text/plain,some%20words' }
    const blob = z.object({ uri: z.string(), blob: z.string() })
    const unpacked = (base64: string): string =>
      gunzipSync(Buffer.from(base64, 'base64')).toString()

    test('comes embedded', async () => {
      const result = await client.call('gzip-file-as-resource', { ...args, outputType: 'resource' })
      const { content } = z
        .object({ content: z.tuple([z.object({ resource: blob })]) })
        .parse(result)
      expect(unpacked(content[0].resource.blob)).toBe('some words')
    })

    test('comes as a link, is announced, and can be read', async () => {
      client.notifications.clear()
      const result = await client.call('gzip-file-as-resource', args)
      expect(result['content']).toMatchObject([
        {
          type: 'resource_link',
          uri: 'demo://resource/session/a.gz',
          mimeType: 'application/gzip',
        },
      ])
      await client.notifications.next('notifications/resources/list_changed')
      const { contents } = z
        .object({ contents: z.tuple([blob]) })
        .parse(await client.read('demo://resource/session/a.gz'))
      expect(unpacked(contents[0].blob)).toBe('some words')
    })
  })

  describe('prompts', () => {
    const user = (said: unknown): unknown => ({
      role: 'user',
      content: { type: 'text', text: said },
    })

    test('are listed', async () => {
      expect(names(await client.listPrompts())).toEqual([
        'args-prompt',
        'completable-prompt',
        'resource-prompt',
        'simple-prompt',
      ])
    })

    test.each([
      { name: 'simple-prompt', args: {}, said: 'This is a simple prompt without arguments.' },
      { name: 'args-prompt', args: { city: 'Ulm' }, said: "What's weather in Ulm?" },
      {
        name: 'args-prompt',
        args: { city: 'Ulm', state: 'Bavaria' },
        said: "What's weather in Ulm, Bavaria?",
      },
      {
        name: 'completable-prompt',
        args: { department: 'Sales', name: 'Eve' },
        said: 'Please promote Eve to the head of the Sales team.',
      },
    ])('$name with $args', async ({ name, args, said }) => {
      expect(await client.getPrompt(name, args)).toMatchObject({ messages: [user(said)] })
    })

    test('resource-prompt embeds a resource', async () => {
      const args = { resourceType: 'Blob', resourceId: '3' }
      expect(await client.getPrompt('resource-prompt', args)).toMatchObject({
        messages: [
          user(expect.stringContaining('Blob resource with id: 3')),
          {
            content: { type: 'resource', resource: { uri: 'demo://resource/dynamic/blob/3' } },
          },
        ],
      })
    })

    test('an unknown prompt is refused by the server', async () => {
      await expect(client.getPrompt('no-such-prompt')).rejects.toMatchObject({ code: -32602 })
    })
  })

  describe('resources', () => {
    test('are listed', async () => {
      const uris = (await client.listResources()).map(({ uri }) => uri)
      expect(uris).toContain('demo://resource/static/document/features.md')
    })

    test('templates are listed', async () => {
      const templates = (await client.listTemplates()).map(({ uriTemplate }) => uriTemplate)
      expect(templates).toEqual([
        'demo://resource/dynamic/text/{resourceId}',
        'demo://resource/dynamic/blob/{resourceId}',
      ])
    })

    test.each([
      { uri: 'demo://resource/static/document/features.md', content: { text: containing('#') } },
      { uri: 'demo://resource/dynamic/text/12', content: { text: containing('Resource 12:') } },
      { uri: 'demo://resource/dynamic/blob/12', content: { blob: expect.any(String) } },
    ])('$uri can be read', async ({ uri, content }) => {
      expect(await client.read(uri)).toMatchObject({ contents: [{ uri, ...content }] })
    })

    test('an unknown one is refused by the server', async () => {
      await expect(client.read('demo://nowhere')).rejects.toMatchObject({
        code: expect.any(Number),
      })
    })
  })

  describe('completion', () => {
    const prompt = { type: 'ref/prompt', name: 'completable-prompt' } as const
    const template = {
      type: 'ref/resource',
      uri: 'demo://resource/dynamic/text/{resourceId}',
    } as const

    test.each([
      {
        name: 'of a prompt',
        of: prompt,
        argument: ['department', 'S'],
        expected: ['Sales', 'Support'],
      },
      {
        name: 'of a prompt, by what is settled',
        of: prompt,
        argument: ['name', ''],
        settled: { department: 'Marketing' },
        expected: ['Grace', 'Henry', 'Iris'],
      },
      { name: 'of a template', of: template, argument: ['resourceId', '5'], expected: ['5'] },
      { name: 'of nothing', of: template, argument: ['resourceId', 'x'], expected: [] },
    ])('$name', async ({ of, argument: [name = '', value = ''], settled, expected }) => {
      const asked = { of, argument: { name, value }, ...(settled && { settled }) }
      expect(await client.complete(asked)).toEqual(expected)
    })
  })

  describe('subscriptions', () => {
    const uri = 'demo://resource/dynamic/text/1'
    const updated = 'notifications/resources/updated'

    test('an update of a subscribed resource arrives, and of no other', async () => {
      await client.subscribe(uri)
      client.notifications.clear()
      await client.call('toggle-subscriber-updates')
      expect(await client.notifications.next(updated)).toEqual({ uri })
      await client.call('toggle-subscriber-updates')
      await client.unsubscribe(uri)
      client.notifications.clear()
      await client.call('toggle-subscriber-updates')
      await client.call('toggle-subscriber-updates')
      expect(client.notifications.count(updated)).toBe(0)
    })
  })

  describe('logging', () => {
    const message = 'notifications/message'

    test('messages of the chosen level and above arrive', async () => {
      await client.setLevel('debug')
      client.notifications.clear()
      await client.call('toggle-simulated-logging')
      // Another, of roots, comes whenever the server has asked for them.
      const isSimulated = ({ data }: Reply): boolean => String(data).includes('message')
      expect(await client.notifications.next(message, isSimulated)).toMatchObject({
        level: expect.any(String),
        data: containing('message'),
      })
      await client.call('toggle-simulated-logging')
    })

    test('messages below the chosen level do not', async () => {
      await client.setLevel('emergency')
      client.notifications.clear()
      await client.subscribe('demo://resource/dynamic/text/9')
      await client.unsubscribe('demo://resource/dynamic/text/9')
      expect(client.notifications.count(message)).toBe(0)
      await client.setLevel('debug')
    })
  })

  describe('progress and cancellation', () => {
    test('each step is reported, in order, before the answer', async () => {
      const seen: unknown[] = []
      const result = await client.call(
        'trigger-long-running-operation',
        { duration: 0.2, steps: 4 },
        { onProgress: (progress) => seen.push(progress) },
      )
      expect(seen).toMatchObject([1, 2, 3, 4].map((progress) => ({ progress, total: 4 })))
      expect(result).toEqual(text(containing('Duration: 0.2 seconds, Steps: 4')))
    })

    test('concurrent calls each get their own progress', async () => {
      const run = async (steps: number): Promise<readonly unknown[]> => {
        const totals: unknown[] = []
        await client.call(
          'trigger-long-running-operation',
          { duration: 0.2, steps },
          { onProgress: ({ total }) => totals.push(total) },
        )
        return totals
      }
      expect(await Promise.all([run(2), run(3), run(5)])).toEqual([
        [2, 2],
        [3, 3, 3],
        [5, 5, 5, 5, 5],
      ])
    })

    test('a cancelled call ends at once and the session goes on', async () => {
      const cancel = new AbortController()
      const long = client.call(
        'trigger-long-running-operation',
        { duration: 600, steps: 12_000 },
        { signal: cancel.signal, onProgress: () => cancel.abort() },
      )
      await expect(long).rejects.toThrow()
      expect(await client.call('echo', { message: 'on' })).toEqual(text('Echo: on'))
    })
  })

  describe('sampling', () => {
    test('the server asks and gets the answer of the client', async () => {
      const asked: unknown[] = []
      client.answers.sampling = (params) => {
        asked.push(params)
        return {
          role: 'assistant',
          model: 'a-model',
          content: { type: 'text', text: 'Grüße' },
          stopReason: 'endTurn',
        }
      }
      const result = await client.call('trigger-sampling-request', {
        prompt: 'Say hi',
        maxTokens: 7,
      })
      expect(asked).toMatchObject([
        {
          maxTokens: 7,
          temperature: 0.7,
          systemPrompt: 'You are a helpful test server.',
          messages: [{ role: 'user', content: { text: containing('Say hi') } }],
        },
      ])
      expect(result).toEqual(text(containing('Grüße')))
    })

    test('a client that fails makes the tool fail, not the session', async () => {
      client.answers.sampling = () => {
        throw new Error('no model here')
      }
      expect(await client.call('trigger-sampling-request', { prompt: 'x' })).toMatchObject({
        isError: true,
        ...text(containing('no model here')),
      })
      expect(await client.call('echo', { message: 'on' })).toEqual(text('Echo: on'))
    })
  })

  describe('elicitation', () => {
    test.each([
      {
        action: 'accept',
        content: { name: 'Ada', check: true, email: 'ada@example.com', integer: 7 },
        says: 'Name: Ada',
      },
      { action: 'decline', says: 'declined' },
      { action: 'cancel', says: 'cancelled' },
    ] as const)('by form: $action', async ({ says, ...answer }) => {
      const asked: unknown[] = []
      client.answers.elicitation = (params) => {
        asked.push(params)
        return answer
      }
      const result = await client.call('trigger-elicitation-request')
      expect(asked).toMatchObject([
        {
          requestedSchema: {
            required: ['name'],
            properties: {
              legacyTitledEnum: { enumNames: ['Cats', 'Dogs', 'Birds', 'Fish', 'Reptiles'] },
              titledMultipleSelectEnum: { items: { anyOf: expect.any(Array) } },
            },
          },
        },
      ])
      expect(JSON.stringify(result)).toContain(says)
    })

    test.each([
      { action: 'accept', says: 'completed the URL elicitation' },
      { action: 'decline', says: 'declined to open the URL' },
      { action: 'cancel', says: 'cancelled the URL elicitation' },
    ] as const)('by URL: $action', async ({ action, says }) => {
      const asked: unknown[] = []
      client.answers.elicitation = (params) => {
        asked.push(params)
        return { action }
      }
      const args = { url: 'https://example.com/connect', elicitationId: 'e-1' }
      const result = await client.call('trigger-url-elicitation', args)
      expect(asked).toMatchObject([{ mode: 'url', ...args }])
      expect(JSON.stringify(result)).toContain(says)
    })

    test('by URL, as an error before the call and a retry after it', async () => {
      const args = { url: `https://example.com/${kind.length}`, errorPath: true }
      await expect(client.call('trigger-url-elicitation', args)).rejects.toMatchObject({
        code: -32042,
        data: { elicitations: [{ mode: 'url', url: 'https://modelcontextprotocol.io' }] },
      })
      client.answers.elicitation = () => ({ action: 'accept' })
      const retried = await client.call('trigger-url-elicitation', args)
      expect(JSON.stringify(retried)).toContain('completed the URL elicitation')
    })
  })

  describe('roots', () => {
    test('are asked for, and again when they change', async () => {
      client.answers.roots = () => [
        { uri: 'file:///srv/one', name: 'One' },
        { uri: 'file:///srv/two', name: 'Two' },
      ]
      client.notifications.clear()
      await client.rootsChanged()
      await client.notifications.next('notifications/message', ({ data }) =>
        String(data).includes('2 root(s)'),
      )
      const result = await client.call('get-roots-list')
      expect(result).toEqual(text(containing('2. Two\n   URI: file:///srv/two')))
    })
  })
})
