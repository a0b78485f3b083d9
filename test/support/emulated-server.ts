// A modern server in memory behind the link that makes a legacy one of it, with a real channel in front: what a session asks
// and is answered, what the server was sent, and what it asks of the client.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { Budget } from '../../sidecar/bytes/budget.ts'
import type { Call } from '../../sidecar/conversation/call.ts'
import { Channel } from '../../sidecar/conversation/channel.ts'
import { emulated } from '../../sidecar/emulation/start-emulation.ts'
import type { Fault } from '../../sidecar/mcp/faults.ts'
import { slice, type Notification, type Request } from '../../sidecar/mcp/message.ts'
import type { Envelope, LinkEnd } from '../../sidecar/server/link.ts'
import { FakeLink } from './fake-link.ts'
import { keptRemarks } from './kept-remarks.ts'
import { aRequest } from './messages.ts'

type Json = Readonly<Record<string, unknown>>

const CAPABILITIES = {
  tools: { listChanged: true },
  resources: { subscribe: true },
  logging: {},
}

/** What a client has been told of one request. */
export class Told {
  readonly texts: string[] = []
  readonly notices: string[] = []
  readonly faults: Fault[] = []
  call: Call | undefined

  answer(text: string): void {
    this.texts.push(text)
  }

  notice(text: string): boolean {
    this.notices.push(text)
    return true
  }

  fault(reason: Fault): void {
    this.faults.push(reason)
  }

  /** The one answer, parsed. */
  get body(): Record<string, never> & Json {
    const [text, other] = this.texts
    if (text === undefined || other !== undefined) throw new Error(`${this.texts.length} answers`)
    return JSON.parse(Buffer.from(text, 'latin1').toString())
  }
}

class HttpFakeLink extends FakeLink {
  readonly port = 8080
  readonly envelopes: Envelope[] = []
  override send(text: string, envelope: Envelope): Fault | undefined {
    this.envelopes.push(envelope)
    return super.send(text, envelope)
  }
}

export class EmulatedServer {
  readonly link: FakeLink
  /** Of a server over HTTP: the headers of each message. */
  readonly envelopes: readonly Envelope[]
  readonly channel: Channel
  /** What the server has said of itself or asked, as a legacy server would have. */
  readonly heard: (Request | Notification)[] = []
  readonly budget: Budget
  ended: LinkEnd | undefined
  nowMs = 0
  /** How far off is what was scheduled last. */
  lastDelayMs = 0
  private scheduled: (() => void)[] = []
  private lastId = 100

  constructor({ isHttp = false, bytes = 256 * 1024 * 1024 } = {}) {
    const link = isHttp ? new HttpFakeLink() : new FakeLink()
    this.link = link
    this.envelopes = link instanceof HttpFakeLink ? link.envelopes : []
    this.budget = new Budget(bytes)
    const nextId = (): number => ++this.lastId
    const now = (): number => this.nowMs
    const schedule = (callback: () => void, delayMs: number): (() => void) => {
      this.scheduled.push(callback)
      this.lastDelayMs = delayMs
      return () => {
        this.scheduled = this.scheduled.filter((one) => one !== callback)
      }
    }
    const options = { nextId, now, budget: this.budget, startupTimeoutMs: 10_000 }
    this.channel = new Channel({
      link: emulated(link, options, { schedule }),
      owner: {
        serverMessage: (message) => void this.heard.push(message),
        ended: (end) => {
          this.ended = end
        },
      },
      nextId,
      now,
      observe: () => undefined,
      remarks: keptRemarks(),
      isShared: false,
    })
  }

  /** A session that is open: the server has said what it is. */
  static async opened(
    capabilities: Json = {},
    server: Json = CAPABILITIES,
    how: ConstructorParameters<typeof EmulatedServer>[0] = {},
  ): Promise<EmulatedServer> {
    const all = new EmulatedServer(how)
    await all.open(capabilities, server)
    return all
  }

  async open(
    capabilities: Json,
    server: Json = CAPABILITIES,
    version = '2025-11-25',
  ): Promise<Told> {
    const clientInfo = { name: 'old', version: '1' }
    const told = this.ask('initialize', { protocolVersion: version, capabilities, clientInfo })
    await this.answers('server/discover', {
      resultType: 'complete',
      supportedVersions: ['2026-07-28'],
      capabilities: server,
      ttlMs: 0,
      cacheScope: 'public',
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'new', version: '2' } },
    })
    return told
  }

  ask(method: string, params?: Json, headers?: Envelope['headers']): Told {
    const said = params === undefined ? '' : `,"params":${JSON.stringify(params)}`
    return this.askText(`{"jsonrpc":"2.0","id":"mine","method":"${method}"${said}}`, headers)
  }

  askText(text: string, headers?: Envelope['headers']): Told {
    const told = new Told()
    told.call = this.channel.call(aRequest(text), told, { timeoutMs: 30_000, headers })
    return told
  }

  /** The client answers what it was asked last. */
  async reply(answer: string): Promise<void> {
    this.channel.send(`{"jsonrpc":"2.0","id":${this.question},${answer}}`)
    await this.settle()
  }

  /** The id of what the client was asked last. */
  get question(): string {
    const asked = this.heard.findLast(({ kind }) => kind === 'request')
    if (asked?.kind !== 'request') throw new Error('the client was asked nothing')
    return slice(asked.text, asked.id)
  }

  /** What the server was sent last by this method. */
  last(method: string): Record<string, never> & Json {
    const text = this.link.sent.findLast((one) => one.includes(`"method":"${method}"`))
    if (text === undefined) throw new Error(`the server was not sent ${method}`)
    return JSON.parse(text)
  }

  methods(): readonly unknown[] {
    return this.link.sent.map((text) => JSON.parse(text).method)
  }

  async says(message: Json): Promise<void> {
    this.link.says(JSON.stringify({ jsonrpc: '2.0', ...message }))
    await this.settle()
  }

  /** The server answers what it was asked last by this method. */
  answers(method: string, result: Json): Promise<void> {
    return this.says({ id: this.last(method)['id'], result })
  }

  refuses(method: string, code: number, message = 'no'): Promise<void> {
    return this.says({ id: this.last(method)['id'], error: { code, message } })
  }

  /** The server says that it listens, to what it was asked last. */
  acknowledges(notifications?: Json): Promise<void> {
    const { id } = this.last('subscriptions/listen')
    const _meta = { 'io.modelcontextprotocol/subscriptionId': id }
    const params = { _meta, ...(notifications ? { notifications } : {}) }
    return this.says({ method: 'notifications/subscriptions/acknowledged', params })
  }

  /** A change, as part of what was asked under this id. */
  changes(id: unknown, method: string, params: Json = {}): Promise<void> {
    const _meta = { 'io.modelcontextprotocol/subscriptionId': id }
    return this.says({ method, params: { ...params, _meta } })
  }

  /** What was to happen after a while has happened. */
  async later(): Promise<void> {
    for (const callback of this.scheduled.splice(0)) callback()
    await this.settle()
  }

  /** What waits for a microtask or a turn has had it. */
  async settle(): Promise<void> {
    for (let turns = 0; turns < 3; turns += 1) await nextTurn()
  }
}
