// `outrigger run` around the puppet server, and what its clients say, in messages.

import { fileURLToPath } from 'node:url'
import { adminOf, type Admin } from './admin.ts'
import { freePort } from './free-port.ts'
import { openStream, type EventStream } from './event-stream.ts'
import { startOutrigger, type Bridge } from './outrigger-run.ts'
import { JSON_HEADERS, messageIn, send, type RawHeaders, type RawReply } from './raw-http.ts'

export const PUPPET = [
  process.execPath,
  fileURLToPath(new URL('../fixtures/puppet-server.ts', import.meta.url)),
]

export type PuppetBridge = Bridge & { readonly admin: Admin }

export const startPuppet = async (...flags: readonly string[]): Promise<PuppetBridge> =>
  startPuppetWith({}, ...flags)

/** With these in its environment: TMPDIR of one that is killed, which can take nothing away itself. */
export const startPuppetWith = async (
  env: Readonly<Record<string, string>>,
  ...flags: readonly string[]
): Promise<PuppetBridge> => {
  const port = await freePort()
  const all = ['--admin-port', `${port}`, ...flags]
  const bridge = await startOutrigger(PUPPET, { flags: all, env })
  return { ...bridge, admin: adminOf(port) }
}

/** A puppet that knows one era alone, which clients of the other meet all the same. */
const startOfOneEra = async (
  era: '--legacy' | '--modern',
  flags: readonly string[],
): Promise<PuppetBridge> => {
  const port = await freePort()
  const all = ['--admin-port', `${port}`, '--translate-eras', 'true', ...flags]
  const bridge = await startOutrigger([...PUPPET, era], { flags: all })
  return { ...bridge, admin: adminOf(port) }
}

/** It knows the legacy era alone. */
export const startTranslated = (...flags: readonly string[]): Promise<PuppetBridge> =>
  startOfOneEra('--legacy', flags)

/** It knows the modern era alone. */
export const startEmulated = (...flags: readonly string[]): Promise<PuppetBridge> =>
  startOfOneEra('--modern', flags)

export type Json = Readonly<Record<string, unknown>>

/** A message as the puppet has read it. */
export type SeenMessage = {
  readonly id?: number | string
  readonly method?: string
  readonly params?: Json
  readonly error?: Json
}

export const VERSION = '2026-07-28'
export const META = {
  'io.modelcontextprotocol/protocolVersion': VERSION,
  'io.modelcontextprotocol/clientCapabilities': {},
}

export const rpc = (method: string, params: Json, id: unknown = 1): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params })

export const note = (method: string, params: Json = {}): string =>
  JSON.stringify({ jsonrpc: '2.0', method, params })

/** A call; `token` asks for progress. */
export const toolCall = (name: string, args: Json = {}, token?: string): string =>
  rpc('tools/call', {
    name,
    arguments: args,
    ...(token === undefined ? {} : { _meta: { progressToken: token } }),
  })

/** The text of a tool's answer. */
export const textOf = (message: string): string => {
  const text = /"text":("(?:[^"\\]|\\.)*")/.exec(message)?.[1]
  if (text === undefined) throw new Error(`no text in ${message}`)
  return String(JSON.parse(text))
}

export type LegacySession = {
  readonly id: string
  readonly headers: RawHeaders
  readonly opened: RawReply
  readonly post: (body: string) => Promise<RawReply>
  /** Calls a tool and gives its text. */
  readonly call: (name: string, args?: Json) => Promise<string>
  /** Posts, and gives the answer to read as it comes. */
  readonly stream: (body: string) => Promise<EventStream>
  /** The GET stream, or the rest of another. */
  readonly listen: (lastEventId?: string) => Promise<EventStream>
  readonly end: () => Promise<RawReply>
}

export const openLegacy = async (
  url: string,
  protocolVersion = '2025-06-18',
  capabilities: Json = {},
): Promise<LegacySession> => {
  const clientInfo = { name: 'test', version: '1' }
  const initialize = rpc('initialize', { protocolVersion, capabilities, clientInfo })
  const opened = await send(url, initialize, JSON_HEADERS)
  const id = opened.headers['mcp-session-id']
  if (typeof id !== 'string') throw new Error(`no session: HTTP ${opened.status} ${opened.text}`)
  const headers = { 'mcp-session-id': id }
  const post = (body: string): Promise<RawReply> => send(url, body, { ...JSON_HEADERS, ...headers })
  await post(note('notifications/initialized'))
  return {
    id,
    headers,
    opened,
    post,
    call: async (name, args) => textOf(messageIn(await post(toolCall(name, args)))),
    stream: async (body) => (await openStream(url, { headers, body })).read(),
    listen: async (last) => {
      const resumed = last === undefined ? headers : { ...headers, 'last-event-id': last }
      return (await openStream(url, { method: 'GET', headers: resumed })).read()
    },
    end: () => send(url, undefined, headers, { method: 'DELETE' }),
  }
}

export type Modern = { readonly body: string; readonly headers: RawHeaders }

/** A modern request with what its envelope and headers need. */
export const modern = (method: string, params: Json = {}, meta: Json = {}): Modern => {
  const { name } = params
  return {
    body: rpc(method, { ...params, _meta: { ...META, ...meta } }),
    headers: {
      ...JSON_HEADERS,
      'mcp-protocol-version': VERSION,
      'mcp-method': method,
      ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
    },
  }
}

export const modernCall = (name: string, args: Json = {}, meta: Json = {}): Modern =>
  modern('tools/call', { name, arguments: args }, meta)

/** Sends a modern request; the message of its answer. */
export const askModern = async (url: string, { body, headers }: Modern): Promise<string> =>
  messageIn(await send(url, body, headers))
