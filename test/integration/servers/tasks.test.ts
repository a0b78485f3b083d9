// The experimental tasks of revision 2025-11-25 through `outrigger run`: calls that the server runs in
// the background, and questions that the client does. Only SDK 1.x speaks them.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js'
import { connectClientOne, connectTaskClient } from '../../support/client-one.ts'
import type { McpClient } from '../../support/mcp-client.ts'
import { serverCommand, startOutrigger, type Bridge } from '../../support/outrigger-run.ts'

const RESEARCH = 'simulate-research-query'

let bridge: Bridge
let client: Awaited<ReturnType<typeof connectClientOne>>

beforeAll(async () => {
  bridge = await startOutrigger(serverCommand('@modelcontextprotocol/server-everything', 'stdio'))
  client = await connectClientOne(bridge.url)
  // The helper of the SDK learns from the list which tools run as tasks.
  await client.listTools()
})

afterAll(async () => {
  await client.close()
  await bridge.stop()
})

const research = async (topic: string, ambiguous: boolean): Promise<[string[], unknown]> => {
  const statuses: string[] = []
  const stream = client.sdk.experimental.tasks.callToolStream(
    { name: RESEARCH, arguments: { topic, ambiguous } },
    CallToolResultSchema,
  )
  for await (const message of stream) {
    if (message.type === 'error') throw message.error
    if (message.type === 'result') return [statuses, message.result]
    const { status } = message.task
    if (statuses.at(-1) !== status) statuses.push(status)
  }
  throw new Error('the stream ended without a result')
}

describe('tasks of the server', () => {
  test('a call goes from working to completed and its result is fetched', async () => {
    const [statuses, result] = await research('tides', false)
    expect(statuses).toEqual(['working', 'completed'])
    expect(result).toMatchObject({
      content: [{ type: 'text', text: expect.stringContaining('# Research Report: tides') }],
    })
  })

  test('one that needs input asks while its result is being fetched', async () => {
    client.answers.elicitation = () => ({
      action: 'accept',
      content: { interpretation: 'snake' },
    })
    const [statuses, result] = await research('python', true)
    expect(statuses).toEqual(['working', 'input_required'])
    expect(result).toMatchObject({
      content: [{ text: expect.stringContaining('Research Report: python (snake)') }],
    })
  })

  test('tasks are listed', async () => {
    const { tasks } = await client.sdk.experimental.tasks.listTasks()
    expect(tasks).toMatchObject([{ status: 'completed' }, { status: 'completed' }])
  })

  test('a task can be cancelled', async () => {
    const stream = client.sdk.experimental.tasks.callToolStream(
      { name: RESEARCH, arguments: { topic: 'never' } },
      CallToolResultSchema,
    )
    const first = await stream.next()
    if (first.done === true || first.value.type !== 'taskCreated') throw new Error('no task')
    const { taskId } = first.value.task
    expect(await client.sdk.experimental.tasks.cancelTask(taskId)).toMatchObject({
      taskId,
      status: 'cancelled',
    })
    await stream.return()
  })
})

describe('tasks of the client', () => {
  let background: McpClient

  beforeAll(async () => {
    background = await connectTaskClient(bridge.url)
  })

  afterAll(() => background.close())

  test('sampling in the background: the server polls and fetches', async () => {
    background.answers.sampling = () => ({
      role: 'assistant',
      model: 'a-model',
      content: { type: 'text', text: 'thought about it' },
    })
    const result = await background.call('trigger-sampling-request-async', { prompt: 'x' })
    expect(JSON.stringify(result)).toMatch(/\[COMPLETED\][^]*thought about it/)
  })

  test('an elicitation in the background: the server polls and fetches', async () => {
    background.answers.elicitation = () => ({ action: 'accept', content: { name: 'Ada' } })
    const result = await background.call('trigger-elicitation-request-async')
    expect(JSON.stringify(result)).toMatch(/\[COMPLETED\][^]*Name: Ada/)
  })
})
