// The official clients for TypeScript, of both lines, over stdio and over HTTP.

import { Client as ClientTwo, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport as StdioTwo } from '@modelcontextprotocol/client/stdio'
import { Client as ClientOne } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as StdioOne } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport as HttpOne } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { z } from 'zod'
import type { Launch } from './install.ts'
import { NO_TOOL, walk, type Call, type Step, type Way } from './transcript.ts'

/** Which lists the server has. */
type Offered = { readonly [list in 'tools' | 'prompts' | 'resources']?: object | undefined }

interface Sdk {
  getServerVersion(): unknown
  getServerCapabilities(): Offered | undefined
  getInstructions(): string | undefined
  /** Which revision is spoken, where it says so. */
  getNegotiatedProtocolVersion?(): string | undefined
  ping(): Promise<unknown>
  listTools(): Promise<unknown>
  listPrompts(): Promise<unknown>
  listResources(): Promise<unknown>
  listResourceTemplates(): Promise<unknown>
  callTool(params: { name: string; arguments: Record<string, unknown> }): Promise<unknown>
}

const INFO = { name: 'outrigger-corpus', version: '1.0.0' }
const failure = z.object({ code: z.unknown().optional(), message: z.string() })

const stdioOf = ({ command: [command = '', ...args], env }: Launch) => ({
  command,
  args,
  env: Object.fromEntries(
    Object.entries({ ...process.env, ...env }).map(([name, value = '']) => [name, value]),
  ),
  stderr: 'ignore' as const,
})

const questions = (sdk: Sdk, { tool, args }: Call) => {
  const { tools, prompts, resources } = sdk.getServerCapabilities() ?? {}
  const said = [
    sdk.getNegotiatedProtocolVersion?.(),
    sdk.getServerVersion(),
    sdk.getServerCapabilities(),
    sdk.getInstructions(),
  ]
  const callOf = (name: string) => sdk.callTool({ name, arguments: { ...args } })
  return [
    ['initialize', async () => said],
    ['ping', () => sdk.ping()],
    ...(tools === undefined ? [] : [['tools/list', () => sdk.listTools()] as const]),
    ...(prompts === undefined ? [] : [['prompts/list', () => sdk.listPrompts()] as const]),
    ...(resources === undefined ? [] : [['resources/list', () => sdk.listResources()] as const]),
    ...(resources === undefined
      ? []
      : [['resources/templates/list', () => sdk.listResourceTemplates()] as const]),
    ['tools/call', () => callOf(tool)],
    ['tools/call of no tool', () => callOf(NO_TOOL)],
  ] as const
}

const ask = (sdk: Sdk, call: Call): Promise<Step[]> =>
  walk(questions(sdk, call), (error) => failure.parse(error))

export const sdkOne = async (way: Way, call: Call): Promise<Step[]> => {
  const sdk = new ClientOne(INFO)
  const transport = 'url' in way ? new HttpOne(new URL(way.url)) : new StdioOne(stdioOf(way.launch))
  await sdk.connect(transport)
  try {
    return await ask(sdk, call)
  } finally {
    if (transport instanceof HttpOne) await transport.terminateSession()
    await sdk.close()
  }
}

export const sdkTwo = async (way: Way, call: Call): Promise<Step[]> => {
  const sdk = new ClientTwo(INFO, { versionNegotiation: { mode: 'auto' } })
  const transport =
    'url' in way
      ? new StreamableHTTPClientTransport(new URL(way.url))
      : new StdioTwo(stdioOf(way.launch))
  await sdk.connect(transport)
  try {
    return await ask(sdk, call)
  } finally {
    if (transport instanceof StreamableHTTPClientTransport) await transport.terminateSession()
    await sdk.close()
  }
}
