// Clients of both eras as they come in a night: some work, some go away, some read slowly, some bring their server down. Each
// makes one pass; whoever runs it says how often.

import { Agent } from 'node:http'
import { setTimeout as after } from 'node:timers/promises'
import { META, VERSION } from '../support/puppet.ts'
import { JSON_HEADERS } from '../support/raw-http.ts'
import { judge, type Verdict } from './tally.ts'
import { exchange, type Exchange, type Json, type Post } from './wire.ts'

export interface Stand {
  readonly url: string
  /** Different for each call of the whole run. */
  readonly marker: () => string
  readonly tell: (way: string, verdict: Verdict) => void
}

interface Asked extends Pick<Post, 'cutAfterMs' | 'pauseMs' | 'isCutOnce'> {
  readonly tool: string
  readonly args: (marker: string) => Json
  readonly words: (marker: string) => string
  readonly progress?: number
  readonly mayFail?: boolean
}

const LEGACY = '2025-11-25'

const itself = (marker: string): string => marker
const echo: Asked = { tool: 'echo', args: (text) => ({ text }), words: itself }
const later = (ms: number, more: Partial<Asked> = {}): Asked => ({
  tool: 'later',
  args: (text) => ({ text, ms }),
  words: itself,
  ...more,
})
const flood = (count: number, bytes: number, more: Partial<Asked> = {}): Asked => ({
  tool: 'flood',
  args: () => ({ count, bytes }),
  words: () => 'flooded',
  progress: count,
  ...more,
})
const padded = (marker: string): string => marker + 'x'.repeat(200_000)
const large: Asked = { ...echo, args: (marker) => ({ text: padded(marker) }), words: padded }

/** Nobody waits for what comes of it. */
const GONE: Verdict = { kind: 'failed', words: 'its client went away' }

type Ask = (asked: Asked) => Promise<Exchange>
type Work = (ask: Ask) => Promise<unknown>

/** Who asks: by which way of the run, over which connections, and what its requests bear. */
interface Asker {
  readonly way: string
  readonly era: 'legacy' | 'modern'
  readonly agent: Agent
  readonly own: Post['headers']
}

/** Asks, and has what comes of it judged, where its client stays for it. */
const asking =
  (stand: Stand, { way, era, agent, own }: Asker): Ask =>
  async ({ tool, args, words, progress = 0, mayFail = false, ...reading }) => {
    const id = stand.marker()
    const meta = era === 'modern' ? { ...META, progressToken: id } : { progressToken: id }
    const params = { name: tool, arguments: args(id), _meta: meta }
    const reply = await exchange({
      agent,
      url: stand.url,
      headers: { ...JSON_HEADERS, ...own, ...(era === 'modern' ? { 'mcp-name': tool } : {}) },
      body: { jsonrpc: '2.0', id, method: 'tools/call', params },
      ...reading,
    })
    const verdict =
      reading.cutAfterMs === undefined
        ? judge(reply, { id, words: words(id), progress, mayFail })
        : GONE
    stand.tell(way, verdict)
    return reply
  }

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: {
    protocolVersion: LEGACY,
    capabilities: {},
    clientInfo: { name: 'soak', version: '1' },
  },
}

/** A session for as long as the work takes. */
const inSession = async (stand: Stand, way: string, work: Work): Promise<void> => {
  const agent = new Agent({ keepAlive: true })
  const post = { agent, url: stand.url }
  try {
    const opened = await exchange({ ...post, headers: JSON_HEADERS, body: INITIALIZE })
    if (opened.session === undefined) {
      const why = opened.broken ?? `HTTP ${opened.status}`
      stand.tell(way, { kind: 'wrong', words: `no session: ${why}` })
      return
    }
    const headers = { 'mcp-session-id': opened.session, 'mcp-protocol-version': LEGACY }
    const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' }
    await exchange({ ...post, headers: { ...JSON_HEADERS, ...headers }, body: initialized })
    await work(asking(stand, { way, era: 'legacy', agent, own: headers }))
    const ended = await fetch(stand.url, {
      method: 'DELETE',
      headers: { ...headers, connection: 'close' },
    })
    await ended.arrayBuffer()
  } finally {
    agent.destroy()
  }
}

const withoutSession = async (stand: Stand, way: string, work: Work): Promise<void> => {
  const agent = new Agent({ keepAlive: true })
  const headers = { 'mcp-protocol-version': VERSION, 'mcp-method': 'tools/call' }
  try {
    await work(asking(stand, { way, era: 'modern', agent, own: headers }))
  } finally {
    agent.destroy()
  }
}

const PAUSE_MS = 20

const steadily = async (ask: Ask): Promise<void> => {
  for (let count = 0; count < 10; count++) {
    await ask(echo)
    await after(PAUSE_MS)
  }
  await Promise.all([later(30), later(10), echo, later(20), echo].map(ask))
}

const GONE_MS = 15

type Way = (stand: Stand) => Promise<void>
type Named = readonly [way: string, pass: Way]

const legacy = (way: string, work: Work): Named => [way, (stand) => inSession(stand, way, work)]
const modern = (way: string, work: Work): Named => [
  way,
  (stand) => withoutSession(stand, way, work),
]

/** What each does in one pass, by the name that the report has for it. */
export const WAYS: ReadonlyMap<string, Way> = new Map([
  legacy('legacy calls', steadily),
  modern('modern calls', steadily),
  legacy('a server that dies', (ask) => {
    const waiting = [1, 2, 3].map(() => ask(later(5000, { mayFail: true })))
    const args = () => ({ signal: 'SIGKILL' })
    return Promise.all([...waiting, ask({ ...echo, tool: 'kill', args, mayFail: true })])
  }),
  legacy('clients that go away', async (ask) => {
    await Promise.all([later(200, { cutAfterMs: GONE_MS }), echo, later(40)].map(ask))
    await ask(flood(400, 4000, { cutAfterMs: GONE_MS }))
    await ask(echo)
  }),
  modern('modern clients that go away', (ask) =>
    Promise.all([later(200, { cutAfterMs: GONE_MS }), echo, later(40)].map(ask)),
  ),
  legacy('floods', (ask) => Promise.all([flood(300, 1000), echo].map(ask))),
  legacy('slow readers', (ask) => ask(flood(200, 10_000, { pauseMs: 10 }))),
  // As much as a session's log keeps for whoever comes back: 256 events, 1 MiB.
  legacy('streams that go on after a cut', (ask) => ask(flood(200, 4000, { isCutOnce: true }))),
  legacy('large calls', async (ask) => {
    for (let count = 0; count < 3; count++) await ask(large)
  }),
])
