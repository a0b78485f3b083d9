// An ordinary MCP client calls one tool: what any agent would do with the URL.

import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

export interface ToolAnswer {
  readonly tools: readonly string[]
  readonly text: string
}

/** Connects, lists the tools, calls one, and closes. */
export const callTool = async (
  url: string,
  name: string,
  args: Readonly<Record<string, unknown>>,
): Promise<ToolAnswer> => {
  const client = new Client({ name: 'outrigger-start', version: '1' })
  const transport = new StreamableHTTPClientTransport(new URL(url))
  try {
    await client.connect(transport)
    const { tools } = await client.listTools()
    const result = await client.callTool({ name, arguments: { ...args } })
    return { tools: tools.map((tool) => tool.name), text: JSON.stringify(result.content) }
  } finally {
    await transport.terminateSession().catch(() => undefined)
    await client.close()
  }
}
