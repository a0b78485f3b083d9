// The adapter of @modelcontextprotocol/sdk 1.x, which speaks the legacy revisions only. It also runs
// sampling and elicitation as tasks of its own where a server asks for that.

import {
  InMemoryTaskMessageQueue,
  InMemoryTaskStore,
} from '@modelcontextprotocol/sdk/experimental/tasks'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { Notifications, unexpected } from './client-answers.ts'
import { CAPABILITIES, methodsOf } from './client-methods.ts'
import type { McpClient } from './mcp-client.ts'

const TASKS = {
  list: {},
  cancel: {},
  requests: { sampling: { createMessage: {} }, elicitation: { create: {} } },
}

// A client that is being closed may still try to reconnect its stream; it shall give up soon.
const RECONNECTION = {
  initialReconnectionDelay: 50,
  maxReconnectionDelay: 100,
  reconnectionDelayGrowFactor: 1,
  maxRetries: 2,
}

const INFO = { name: 'outrigger-tests', version: '1.0.0' }

/** Connects an SDK 1.x client. */
export const connectClientOne = (url: string): Promise<McpClient & { sdk: Client }> =>
  connect(url, new Client(INFO, { capabilities: CAPABILITIES }))

/** Connects an SDK 1.x client that answers in the background where a server asks for that. */
export const connectTaskClient = async (url: string): Promise<McpClient> => {
  const taskStore = new InMemoryTaskStore()
  const sdk = new Client(INFO, {
    capabilities: { ...CAPABILITIES, tasks: TASKS },
    taskStore,
    taskMessageQueue: new InMemoryTaskMessageQueue(),
  })
  const client = await connect(url, sdk)
  const close = async (): Promise<void> => {
    taskStore.cleanup()
    await client.close()
  }
  return { ...client, close }
}

const connect = async (url: string, sdk: Client): Promise<McpClient & { sdk: Client }> => {
  const answers = unexpected()
  const notifications = new Notifications()
  sdk.setRequestHandler(CreateMessageRequestSchema, async ({ params }, { taskStore }) => {
    if (params.task === undefined || taskStore === undefined) return answers.sampling(params)
    const task = await taskStore.createTask({ ttl: params.task.ttl ?? null })
    await taskStore.storeTaskResult(task.taskId, 'completed', answers.sampling(params))
    return { task }
  })
  sdk.setRequestHandler(ElicitRequestSchema, async ({ params }, { taskStore }) => {
    if (params.task === undefined || taskStore === undefined) return answers.elicitation(params)
    const task = await taskStore.createTask({ ttl: params.task.ttl ?? null })
    await taskStore.storeTaskResult(task.taskId, 'completed', answers.elicitation(params))
    return { task }
  })
  sdk.setRequestHandler(ListRootsRequestSchema, () => ({ roots: answers.roots() }))
  sdk.fallbackNotificationHandler = async ({ method, params }) => notifications.add(method, params)
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    reconnectionOptions: RECONNECTION,
  })
  await sdk.connect(transport)
  return {
    sdk,
    era: 'legacy',
    revision: transport.protocolVersion,
    sessionId: transport.sessionId,
    instructions: sdk.getInstructions(),
    answers,
    notifications,
    ...methodsOf(sdk, transport),
    call: (name, args = {}, { onProgress, signal } = {}) =>
      sdk.callTool({ name, arguments: args }, undefined, {
        ...(onProgress !== undefined && { onprogress: onProgress }),
        ...(signal !== undefined && { signal }),
      }),
  }
}
