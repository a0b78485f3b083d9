// An ordinary MCP client calls one tool: what any agent would do with the URL.

import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Person } from './person.ts'

export interface ToolAnswer {
  readonly tools: readonly string[]
  readonly text: string
}

export interface ToolCall {
  readonly url: string
  readonly name: string
  readonly args: Readonly<Record<string, unknown>>
  /** Who calls; absent: nobody in particular. */
  readonly person?: Person
}

const transportOf = ({ url, person }: ToolCall): StreamableHTTPClientTransport =>
  new StreamableHTTPClientTransport(
    new URL(url),
    person === undefined ? {} : { authProvider: person.provider },
  )

/** Knocks until it is sent to log in, and comes back with a token. */
const logIn = async (call: ToolCall, person: Person): Promise<void> => {
  const knocking = transportOf(call)
  try {
    await new Client({ name: 'outrigger-start', version: '1' }).connect(knocking)
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error
    await knocking.finishAuth(person.code())
  }
}

/** Connects, lists the tools, calls one, and closes. */
export const callTool = async (call: ToolCall): Promise<ToolAnswer> => {
  const { name, args, person } = call
  if (person) await logIn(call, person)
  const client = new Client({ name: 'outrigger-start', version: '1' })
  const transport = transportOf(call)
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
