// The adapter of @modelcontextprotocol/client 2.x as it is meant to be used: it asks for the modern
// era first, and falls back to the legacy one where the server offers nothing else.

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Notifications, unexpected } from './client-answers.ts'
import { CAPABILITIES, methodsOf } from './client-methods.ts'
import type { McpClient } from './mcp-client.ts'

/** Connects a 2.x client that negotiates its era. */
export const connectClientTwo = async (url: string): Promise<McpClient & { sdk: Client }> => {
  const sdk = new Client(
    { name: 'outrigger-tests', version: '2.0.0' },
    { capabilities: CAPABILITIES, versionNegotiation: { mode: 'auto' } },
  )
  const answers = unexpected()
  const notifications = new Notifications()
  sdk.setRequestHandler('sampling/createMessage', ({ params }) => answers.sampling(params))
  sdk.setRequestHandler('elicitation/create', ({ params }) => answers.elicitation(params))
  sdk.setRequestHandler('roots/list', () => ({ roots: answers.roots() }))
  sdk.fallbackNotificationHandler = async ({ method, params }) => notifications.add(method, params)
  const transport = new StreamableHTTPClientTransport(new URL(url))
  await sdk.connect(transport)
  return {
    sdk,
    era: sdk.getProtocolEra(),
    revision: sdk.getNegotiatedProtocolVersion(),
    sessionId: transport.sessionId,
    instructions: sdk.getInstructions(),
    answers,
    notifications,
    ...methodsOf(sdk, transport),
    call: (name, args = {}, { onProgress, signal } = {}) =>
      sdk.callTool(
        { name, arguments: args },
        {
          ...(onProgress !== undefined && { onprogress: onProgress }),
          ...(signal !== undefined && { signal }),
        },
      ),
  }
}
