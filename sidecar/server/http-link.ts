// A loopback Streamable HTTP server as a link: each request is a POST, its answer JSON or an event
// stream; a legacy session also has a GET stream. The client's token is never among the headers that go on.

import {
  request as httpRequest,
  type Agent,
  type ClientRequest,
  type IncomingMessage,
} from 'node:http'
import type { LookupFunction } from 'node:net'
import { SMALL_BYTES, type Budget, type Lease } from '../bytes/budget.ts'
import { free } from '../bytes/freed.ts'
import { Whole } from '../bytes/whole.ts'
import { readJson } from '../json/text.ts'
import { member, oneMessage, slice, stringAt, type Message, type Response } from '../mcp/message.ts'
import { EventReader } from './event-reader.ts'
import {
  MAX_MESSAGE_BYTES,
  type Envelope,
  type Link,
  type LinkEnd,
  type LinkOwner,
} from './link.ts'

/** What a Streamable HTTP server may answer with. */
export const BOTH_TYPES = 'application/json, text/event-stream'
const VERSION = /^[!-~]{1,64}$/
const RECONNECT_MS = 1000
const MAX_OPEN = 256

export interface HttpTarget {
  readonly port: number
  readonly path: string
  /** For what the server has not read and what we have read of an answer. */
  readonly budget: Budget
  readonly agent: Agent
  readonly listeningAgent: Agent
  /** How long the server may take to hear that its session has ended; then it is left to itself. */
  readonly endTimeoutMs: number
  readonly onClose: () => void
}

/** Both loopback addresses, whatever the container's files say: servers listen on the one or the other. */
const lookup: LookupFunction = (_name, _options, callback) =>
  callback(null, [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ])

/** Where a server of the pod is reached: in whatever family it listens. */
export const LOOPBACK = { host: 'localhost', lookup } as const

const parse = (bytes: Buffer): Message | undefined => {
  const json = readJson(bytes)
  const message = json.ok ? oneMessage(json.value) : undefined
  return message?.ok ? message.value : undefined
}

const isAnswerTo = ({ text, id: place }: Response, id: number): boolean =>
  place !== undefined && slice(text, place) === `${id}`

const errorMessage = ({ text, error }: Response): string | undefined =>
  stringAt(text, member(error?.object, 'message'))

export class HttpLink implements Link {
  owner: LinkOwner | undefined
  strayOutput: string | undefined
  private readonly target: HttpTarget
  private open = new Map<number, ClientRequest>()
  /** Notifications and responses that the server has not taken yet. */
  private readonly oneWay = new Set<ClientRequest>()
  private readonly streams = new Map<IncomingMessage, Lease>()
  private session: string | undefined
  private version: string | undefined
  private isModern = false
  private isEnded = false
  private isPaused = false
  private listening: ClientRequest | undefined
  private reconnect: NodeJS.Timeout | undefined
  private lastEvent: string | undefined

  constructor(target: HttpTarget) {
    this.target = target
  }

  get port(): number {
    return this.target.port
  }

  send(text: string, envelope: Envelope): boolean {
    const { id } = envelope
    const headers = envelope.headers()
    if (this.open.size + this.oneWay.size >= MAX_OPEN) return false
    if (headers['mcp-method'] !== undefined) this.isModern = true
    // The modern era has no client notifications over HTTP: `abandon` cancels.
    if (id === undefined && this.isModern) return true
    const unread = this.target.budget.lease('inputs')
    if (text.length > SMALL_BYTES && !unread.keep(text.length)) return false
    const body = Buffer.from(text, 'latin1')
    const sent = this.start('POST', {
      ...headers,
      'content-type': 'application/json',
      'content-length': `${body.length}`,
      accept: BOTH_TYPES,
    })
    if (id !== undefined) this.open.set(id, sent)
    else {
      this.oneWay.add(sent)
      sent.on('close', () => this.oneWay.delete(sent))
    }
    sent.on('response', (response) => this.answer(response, id))
    sent.on('error', (error) => this.broken(id, error))
    sent.on('finish', () => unread.release())
    sent.on('close', () => unread.release())
    sent.end(body)
    return true
  }

  abandon(id: number): void {
    const sent = this.open.get(id)
    this.open.delete(id)
    sent?.destroy()
  }

  pause(): void {
    this.isPaused = true
    for (const stream of this.streams.keys()) stream.pause()
  }

  resume(): void {
    this.isPaused = false
    for (const [stream, lease] of this.streams) if (!lease.isWaiting) stream.resume()
  }

  close(): void {
    if (this.isEnded) return
    if (this.session !== undefined) {
      const sent = this.start('DELETE', {}, AbortSignal.timeout(this.target.endTimeoutMs))
      sent.on('response', (response) => response.resume())
      sent.on('error', () => undefined)
      sent.end()
    }
    this.finish({ message: 'the session with the server was closed' })
  }

  private start(
    method: string,
    headers: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): ClientRequest {
    const { port, path, listeningAgent } = this.target
    const agent = method === 'GET' ? listeningAgent : this.target.agent
    return httpRequest({
      ...LOOPBACK,
      port,
      path,
      method,
      agent,
      ...(signal === undefined ? {} : { signal }),
      headers: {
        ...(this.session === undefined ? {} : { 'mcp-session-id': this.session }),
        ...(this.version === undefined ? {} : { 'mcp-protocol-version': this.version }),
        ...headers,
      },
    })
  }

  private answer(response: IncomingMessage, id: number | undefined): void {
    const session = response.headers['mcp-session-id']
    if (typeof session === 'string') this.session = session
    const type = response.headers['content-type'] ?? ''
    if (type.startsWith('text/event-stream')) this.stream(response, id)
    else this.whole(response, id)
    if (id === undefined && this.session !== undefined && !this.listening) this.listen()
  }

  /** The place of an answer that is not whole yet. */
  private lease(response: IncomingMessage, isHeld: () => boolean): Lease {
    return this.target.budget.lease('lines', {
      isRefusable: false,
      granted: () => {
        if (!isHeld()) response.resume()
      },
      ended: () => response.destroy(),
    })
  }

  private whole(response: IncomingMessage, id: number | undefined): void {
    const body = new Whole(MAX_MESSAGE_BYTES)
    const lease = this.lease(response, () => false)
    response.on('data', (chunk: Buffer) => {
      if (!body.add(chunk)) response.destroy()
      else if (!lease.reads(body.length, MAX_MESSAGE_BYTES)) response.pause()
    })
    response.on('error', () => undefined)
    response.on('close', () => {
      const status = response.statusCode ?? 0
      const bytes = body.take()
      // What becomes of it is counted where it goes.
      lease.release()
      const message = parse(bytes)
      free(bytes)
      if (message) this.message(message, id)
      const said = message?.kind === 'response' ? errorMessage(message) : undefined
      this.failed(
        id,
        `the server answered HTTP ${status} ${said === undefined ? 'without an answer to the request' : `and said: ${said}`}`,
      )
      if (status === 404 && this.session !== undefined) {
        this.finish({ message: 'the server has ended its session' })
      }
    })
  }

  private stream(response: IncomingMessage, id: number | undefined): void {
    const lease = this.lease(response, () => this.isPaused)
    this.streams.set(response, lease)
    if (this.isPaused) response.pause()
    const reader = new EventReader((event) => {
      if (id === undefined) this.lastEvent = event.id ?? this.lastEvent
      const message = parse(event.data)
      free(event.data)
      if (message) this.message(message, id)
    })
    response.on('data', (chunk: Buffer) => {
      if (!reader.push(chunk)) response.destroy()
      else if (reader.length === 0) lease.release()
      else if (!lease.reads(reader.length, MAX_MESSAGE_BYTES)) response.pause()
    })
    response.on('error', () => undefined)
    response.on('close', () => {
      this.streams.delete(response)
      lease.release()
      this.failed(id, "the server's event stream ended before its answer")
    })
  }

  private message(message: Message, id: number | undefined): void {
    if (message.kind === 'response') {
      if (id !== undefined && isAnswerTo(message, id)) this.open.delete(id)
      const version = stringAt(message.text, member(message.result?.object, 'protocolVersion'))
      // It goes into a header: what cannot stand in one is no version.
      if (version !== undefined && VERSION.test(version)) this.version ??= version
    }
    this.owner?.message(message, id)
  }

  /** A request that will get no answer: its caller hears why. */
  private failed(id: number | undefined, why: string): void {
    if (id !== undefined && this.open.delete(id)) this.owner?.failed(id, why)
  }

  /** Where nobody listens the server is gone, and with it whatever it knew of this session. */
  private broken(id: number | undefined, error: Error): void {
    const code = 'code' in error ? String(error.code) : ''
    const why = `the server on port ${this.target.port}: ${error.message === '' ? code : error.message}`
    if (code === 'ECONNREFUSED') this.finish({ message: why })
    else this.failed(id, why)
  }

  /** The legacy GET stream, opened again whenever it breaks; a server without one answers 405. */
  private listen(): void {
    const sent = this.start('GET', {
      accept: 'text/event-stream',
      ...(this.lastEvent === undefined ? {} : { 'last-event-id': this.lastEvent }),
    })
    this.listening = sent
    sent.on('response', (response) => {
      if (response.statusCode === 200) this.stream(response, undefined)
      else response.resume()
      response.on('close', () => {
        if (response.statusCode === 200) this.listenLater()
      })
    })
    sent.on('error', () => this.listenLater())
    sent.end()
  }

  private listenLater(): void {
    if (this.isEnded) return
    clearTimeout(this.reconnect)
    this.reconnect = setTimeout(() => this.listen(), RECONNECT_MS)
  }

  private finish(end: LinkEnd): void {
    if (this.isEnded) return
    this.isEnded = true
    clearTimeout(this.reconnect)
    this.listening?.destroy()
    const { open } = this
    this.open = new Map()
    for (const sent of [...open.values(), ...this.oneWay]) sent.destroy()
    this.target.onClose()
    this.owner?.ended(end)
  }
}
