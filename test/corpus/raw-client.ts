// A client that takes down what comes, to the letter: a line of a process, or what an HTTP answer holds.

import { spawn } from 'node:child_process'
import { z } from 'zod'
import type { Launch } from './install.ts'
import { NO_TOOL, walk, type Call, type Step, type Way } from './transcript.ts'

const REVISION = '2025-11-25'
const answer = z.object({ id: z.number(), method: z.undefined().optional() })
const EVENT_DATA = /^data: ?(.+)$/gm

interface Wire {
  /** The answer to that request, byte for byte. */
  readonly ask: (id: number, text: string) => Promise<string>
  readonly tell: (text: string) => Promise<void>
  readonly close: () => Promise<void>
}

const idOf = (text: string): number | undefined => {
  try {
    return answer.safeParse(JSON.parse(text)).data?.id
  } catch {
    return undefined
  }
}

const overPipes = ({ command: [command = '', ...args], env }: Launch): Wire => {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const waiting = new Map<number, (line: string) => void>()
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = `${rest}${chunk}`.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) waiting.get(idOf(line) ?? -1)?.(line)
  })
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()))
  return {
    ask: (id, text) =>
      new Promise((resolve) => {
        waiting.set(id, resolve)
        child.stdin.write(`${text}\n`)
      }),
    tell: async (text) => void child.stdin.write(`${text}\n`),
    close: async () => {
      child.stdin.end()
      child.kill()
      await gone
    },
  }
}

const overHttp = (url: string): Wire => {
  let session: Record<string, string> = {}
  const post = async (body: string): Promise<string> => {
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...session,
      },
    })
    const id = response.headers.get('mcp-session-id')
    if (id !== null) session = { 'mcp-session-id': id, 'mcp-protocol-version': REVISION }
    const text = await response.text()
    if (response.headers.get('content-type') === 'application/json') return text
    return [...text.matchAll(EVENT_DATA)].map(([, data = '']) => data).at(-1) ?? ''
  }
  return {
    ask: (_id, text) => post(text),
    tell: async (text) => void (await post(text)),
    close: async () => void (await fetch(url, { method: 'DELETE', headers: session })),
  }
}

const CLIENT = {
  protocolVersion: REVISION,
  capabilities: {},
  clientInfo: { name: 'corpus', version: '1' },
}

export const rawClient = async (way: Way, { tool, args }: Call): Promise<Step[]> => {
  const wire = 'url' in way ? overHttp(way.url) : overPipes(way.launch)
  const requests: readonly (readonly [method: string, params: object])[] = [
    ['initialize', CLIENT],
    ['ping', {}],
    ['tools/list', {}],
    ['prompts/list', {}],
    ['resources/list', {}],
    ['resources/templates/list', {}],
    ['tools/call', { name: tool, arguments: args }],
    ['tools/call', { name: NO_TOOL, arguments: {} }],
    ['no/such/method', {}],
  ]
  const asking = requests.map(([method, params], id) => {
    const text = JSON.stringify({ jsonrpc: '2.0', id, method, params })
    return [
      method,
      async () => {
        const said = await wire.ask(id, text)
        if (id === 0) await wire.tell('{"jsonrpc":"2.0","method":"notifications/initialized"}')
        return said
      },
    ] as const
  })
  try {
    return await walk(asking, String)
  } finally {
    await wire.close()
  }
}
