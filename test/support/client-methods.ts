// What both lines of official clients do by methods of the same name and meaning.

import type { Reply } from './client-answers.ts'
import type { CompletionOf, McpClient } from './mcp-client.ts'

/** What every test's client can be asked for. */
export const CAPABILITIES = {
  roots: { listChanged: true },
  sampling: {},
  elicitation: { form: {}, url: {} },
}

/** The part of either line's client that is called here. */
interface Sdk {
  listTools(): Promise<{ tools: { name: string }[] }>
  listPrompts(): Promise<{ prompts: { name: string }[] }>
  getPrompt(params: { name: string; arguments: Record<string, string> }): Promise<Reply>
  listResources(): Promise<{ resources: { uri: string }[] }>
  listResourceTemplates(): Promise<{ resourceTemplates: { uriTemplate: string }[] }>
  readResource(params: { uri: string }): Promise<Reply>
  complete(params: {
    ref: CompletionOf
    argument: { name: string; value: string }
    context?: { arguments: Record<string, string> }
  }): Promise<{ completion: { values: string[] } }>
  subscribeResource(params: { uri: string }): Promise<unknown>
  unsubscribeResource(params: { uri: string }): Promise<unknown>
  setLoggingLevel(level: 'debug' | 'error' | 'emergency'): Promise<unknown>
  ping(): Promise<unknown>
  sendRootsListChanged(): Promise<void>
  close(): Promise<void>
}

/** All but how it was connected, and the call, whose options differ. */
type Methods = Omit<
  McpClient,
  'era' | 'revision' | 'sessionId' | 'instructions' | 'answers' | 'notifications' | 'call'
>

export const methodsOf = (sdk: Sdk, transport: { terminateSession(): Promise<void> }): Methods => ({
  listTools: async () => (await sdk.listTools()).tools,
  listPrompts: async () => (await sdk.listPrompts()).prompts,
  getPrompt: (name, args = {}) => sdk.getPrompt({ name, arguments: args }),
  listResources: async () => (await sdk.listResources()).resources,
  listTemplates: async () => (await sdk.listResourceTemplates()).resourceTemplates,
  read: (uri) => sdk.readResource({ uri }),
  complete: async ({ of, argument, settled }) => {
    const context = settled === undefined ? {} : { context: { arguments: settled } }
    return (await sdk.complete({ ref: of, argument, ...context })).completion.values
  },
  subscribe: async (uri) => void (await sdk.subscribeResource({ uri })),
  unsubscribe: async (uri) => void (await sdk.unsubscribeResource({ uri })),
  setLevel: async (level) => void (await sdk.setLoggingLevel(level)),
  ping: async () => void (await sdk.ping()),
  rootsChanged: () => sdk.sendRootsListChanged(),
  close: async () => {
    await transport.terminateSession()
    await sdk.close()
  },
})
