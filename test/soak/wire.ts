// One POST of an MCP client and everything that comes back for it, read at the pace of a fast reader, of a slow one, or of one
// that goes away.

import { request as httpRequest, type Agent, type IncomingMessage } from 'node:http'
import { setTimeout as after } from 'node:timers/promises'

export type Json = Readonly<Record<string, unknown>>

export const record = (value: unknown): Json =>
  typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {}

export interface Post {
  readonly agent: Agent
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Json
  /** The client goes away so long after it has asked. */
  readonly cutAfterMs?: number
  /** It waits so long before each piece that it reads. */
  readonly pauseMs?: number
  /** Its network is cut once behind the first events; then it asks for the rest of the stream. */
  readonly isCutOnce?: boolean
}

export interface Exchange {
  readonly status: number
  readonly session: string | undefined
  readonly messages: readonly Json[]
  /** Why there is no whole reply. */
  readonly broken: string | undefined
}

const LIMIT_MS = 120_000

const dataOf = (event: string): string =>
  event
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => line.slice('data: '.length))
    .join('\n')

const messagesIn = (text: string, isStream: boolean): readonly Json[] => {
  const parts = isStream ? text.split('\n\n').map(dataOf) : [text]
  return parts.filter((part) => part.trim() !== '').map((part) => record(JSON.parse(part)))
}

const textOf = async (response: IncomingMessage, pauseMs: number): Promise<string> => {
  const pieces: Buffer[] = []
  for await (const piece of response) {
    pieces.push(Buffer.from(piece))
    if (pauseMs > 0) await after(pauseMs)
  }
  return Buffer.concat(pieces).toString()
}

/** What had come whole when the network was cut, behind the first piece that has an event in it. */
const textUntilCut = async (response: IncomingMessage): Promise<string> => {
  let text = ''
  for await (const piece of response) {
    text += Buffer.from(piece).toString('latin1')
    if (text.includes('data: {') && text.includes('\n\n')) break
  }
  response.destroy()
  return Buffer.from(text.slice(0, text.lastIndexOf('\n\n') + 2), 'latin1').toString()
}

const lastIdIn = (text: string): string => [...text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] ?? ''

/** The first part of a stream, and the rest of it by its last event's id. */
const textOfBoth = async (response: IncomingMessage, post: Post): Promise<string> => {
  const first = await textUntilCut(response)
  const headers = {
    ...post.headers,
    accept: 'text/event-stream',
    connection: 'close',
    'last-event-id': lastIdIn(first),
  }
  const rest = await fetch(post.url, { headers, signal: AbortSignal.timeout(LIMIT_MS) })
  if (rest.status !== 200) throw new Error(`HTTP ${rest.status} when its stream was to go on`)
  return first + (await rest.text())
}

const answered = (post: Post, signal: AbortSignal): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const { agent, url, headers, body } = post
    const sent = httpRequest(url, { method: 'POST', agent, signal, headers })
    sent.on('response', resolve)
    sent.on('error', reject)
    sent.end(JSON.stringify(body))
  })

/** Resolves whatever happens: what did not come whole says why. */
export const exchange = async (post: Post): Promise<Exchange> => {
  const { cutAfterMs = LIMIT_MS, pauseMs = 0, isCutOnce = false } = post
  const signal = AbortSignal.timeout(cutAfterMs)
  try {
    const response = await answered(post, signal)
    const { statusCode: status = 0, headers } = response
    const isStream = String(headers['content-type']).startsWith('text/event-stream')
    const text = await (isCutOnce ? textOfBoth(response, post) : textOf(response, pauseMs))
    const session = headers['mcp-session-id']
    return {
      status,
      session: typeof session === 'string' ? session : undefined,
      messages: messagesIn(text, isStream),
      broken: undefined,
    }
  } catch (error) {
    const why = signal.aborted ? `no end within ${cutAfterMs} ms` : String(error)
    return { status: 0, session: undefined, messages: [], broken: why }
  }
}
