// What an official client gets of the conformance fixture, whatever the eras of the two: tests for a `describe`.

import { expect, test } from '@jest/globals'
import type { Reply } from './client-answers.ts'
import { connectClientOne } from './client-one.ts'
import type { McpClient } from './mcp-client.ts'

export const WATCHED = 'test://watched-resource'
export const UPDATED = 'notifications/resources/updated'
export const TOOLS_CHANGED = 'notifications/tools/list_changed'

const text = (said: unknown): Reply => ({ content: [{ type: 'text', text: said }] })

/** The same in each era. */
export const testsOfEitherEra = (connected: () => McpClient): void => {
  test.each([
    { tool: 'echo', args: { text: 'Grüße \u2028 👋🏽 \r\n' }, gives: text('Grüße \u2028 👋🏽 \r\n') },
    { tool: 'echo', args: { text: 'x'.repeat(300_000) }, gives: text('x'.repeat(300_000)) },
    { tool: 'test_x_mcp_header', args: { region: 'eu west', count: 3 }, gives: {} },
    { tool: 'test_x_mcp_header', args: { region: 'Zürich 👋🏽' }, gives: {} },
    { tool: 'test_image_content', args: {}, gives: { content: [{ type: 'image' }] } },
    { tool: 'test_audio_content', args: {}, gives: { content: [{ type: 'audio' }] } },
    { tool: 'test_embedded_resource', args: {}, gives: { content: [{ type: 'resource' }] } },
    { tool: 'test_error_handling', args: {}, gives: { isError: true } },
  ])('$tool', async ({ tool, args, gives }) => {
    const client = connected()
    // The 2.x client mirrors annotated arguments into headers, which it knows from the list.
    await client.listTools()
    expect(await client.call(tool, args)).toMatchObject(gives)
  })

  test('prompts, resources and completion', async () => {
    const client = connected()
    const args = { arg1: 'a', arg2: 'b' }
    expect(await client.getPrompt('test_prompt_with_arguments', args)).toMatchObject({
      messages: [{ content: { text: "Prompt with arguments: arg1='a', arg2='b'" } }],
    })
    expect(await client.read('test://template/7/data')).toMatchObject({
      contents: [{ text: expect.stringContaining('"id":"7"') }],
    })
    const of = { type: 'ref/prompt', name: 'test_prompt_with_arguments' } as const
    expect(await client.complete({ of, argument: { name: 'arg1', value: 'par' } })).toEqual([
      'paris',
      'park',
      'party',
    ])
  })

  test('progress arrives in order, before the answer', async () => {
    const client = connected()
    const seen: unknown[] = []
    await client.call(
      'test_tool_with_progress',
      {},
      { onProgress: ({ progress }) => seen.push(progress) },
    )
    expect(seen).toEqual([0, 50, 100])
  })

  test('a tool that asks a model and a user gets their answers', async () => {
    const client = connected()
    client.answers.sampling = () => ({
      role: 'assistant',
      model: 'a-model',
      content: { type: 'text', text: 'Paris, of course' },
    })
    client.answers.elicitation = () => ({ action: 'accept', content: { name: 'Ada' } })
    client.answers.roots = () => [{ uri: 'file:///srv', name: 'Srv' }]
    expect(await client.call('test_sampling', { prompt: 'Capital?' })).toEqual(
      expect.objectContaining(text(expect.stringContaining('Paris, of course'))),
    )
    expect(await client.call('test_input_required_result_elicitation')).toMatchObject(
      text('Hello, Ada!'),
    )
    expect(await client.call('test_input_required_result_list_roots')).toMatchObject(
      text('file:///srv'),
    )
    expect(await client.call('test_input_required_result_multiple_inputs')).toMatchObject(
      text('All 3 answered'),
    )
  })

  test('a tool that asks twice keeps its state in between', async () => {
    const client = connected()
    const contents = [{ name: 'Ada' }, { color: 'blue' }]
    client.answers.elicitation = () => {
      const content = contents.shift()
      return content === undefined ? { action: 'cancel' } : { action: 'accept', content }
    }
    expect(await client.call('test_input_required_result_multi_round')).toMatchObject(
      text('Ada likes blue'),
    )
  })

  test('many calls at once, each with its own answer', async () => {
    const client = connected()
    const words = Array.from({ length: 50 }, (_, index) => `word ${index}`)
    const results = await Promise.all(words.map((word) => client.call('echo', { text: word })))
    expect(results).toMatchObject(words.map((word) => text(word)))
  })
}

/** What a session hears without asking. */
export const testsOfSessions = (url: () => string): void => {
  test('to who subscribed, on the stream of the session', async () => {
    const client = await connectClientOne(url())
    try {
      await client.subscribe(WATCHED)
      await client.call('test_update_watched_resource')
      expect(await client.notifications.next(UPDATED)).toEqual({ uri: WATCHED })
      await client.call('test_trigger_tool_change')
      await client.notifications.next(TOOLS_CHANGED)
    } finally {
      await client.close()
    }
  })

  test('sessions do not hear of one another', async () => {
    const [one, other] = await Promise.all([connectClientOne(url()), connectClientOne(url())])
    try {
      await Promise.all([one.subscribe(WATCHED), other.subscribe(WATCHED)])
      await one.call('test_update_watched_resource')
      await one.notifications.next(UPDATED)
      await other.call('echo', { text: 'x' })
      expect(other.notifications.count(UPDATED)).toBe(0)
    } finally {
      await Promise.all([one.close(), other.close()])
    }
  })
}
