// One legacy server process for modern clients: initialized by us once, then leased to one request at a time, so that what
// it says by itself is that request's.

import type { Idle } from '../access/room.ts'
import type { Principal } from '../access/principal.ts'
import { answerTo } from '../conversation/answer-to.ts'
import { Channel, type ChannelOptions, type ChannelOwner } from '../conversation/channel.ts'
import type { Vetted, Vetting } from '../conversation/vetting.ts'
import { sharedAnswer, type QuestionEnd, type QuestionWatch } from '../legacy/questions.ts'
import type { Result } from '../../shared/result.ts'
import type { Fault } from '../mcp/faults.ts'
import { member, slice, type Notification, type Request } from '../mcp/message.ts'
import { initializeParams, ownRequest } from '../mcp/own-request.ts'
import { Tools } from '../modern/tools.ts'
import type { LinkEnd } from '../server/link.ts'
import type { TraceContext } from '../telemetry/trace.ts'
import type { Capabilities } from './capabilities.ts'
import { discoveryIn, type Discovery } from './discovery.ts'
import type { LogLevel } from './log-level.ts'

export interface BackendOptions extends Omit<ChannelOptions, 'owner'> {
  /** Whose it is; undefined where it is everybody's. */
  readonly caller: Principal | undefined
  /** What its clients can be asked for. */
  readonly capabilities: Capabilities
  readonly startupTimeoutMs: number
  /** Undefined where there is none. */
  readonly vetting?: Vetting | undefined
  /** Where records are kept. */
  readonly watchQuestions?: QuestionWatch | undefined
  readonly onEnd: (backend: Backend, end: LinkEnd) => void
}

/** The lease that it is given in. */
interface Held {
  /** Its client has been asked, and it waits. */
  readonly isParked: boolean
  /** A log line that the server writes meanwhile. */
  log(message: Notification): void
  /** What the server asks of its client meanwhile. */
  asks(message: Request): void
  /** The server does not want to know any more what it has asked under this id. */
  takesBack(idText: string): void
}

const INITIALIZED = '{"jsonrpc":"2.0","method":"notifications/initialized"}'
const UNHEARD = { notice: (): boolean => true, answer: () => undefined, fault: () => undefined }

export class Backend implements ChannelOwner {
  readonly channel: Channel
  readonly tools: Tools
  /** What its words are held against; undefined where there is nothing. */
  readonly vetted: Vetted | undefined
  /** What it has said of itself; undefined until then. */
  discovery: Discovery | undefined
  lease: Held | undefined
  /** A call of its was given up: what it still says may be that call's, so that nobody gets it any more. */
  isSpent = false
  private readonly options: BackendOptions
  private lastUsedMs: number
  private level: LogLevel | undefined

  constructor(options: BackendOptions) {
    this.options = options
    this.lastUsedMs = options.now()
    this.channel = new Channel({ ...options, owner: this })
    this.tools = new Tools(this.channel, options)
    this.vetted = options.vetting?.over(this.channel)
  }

  get isFree(): boolean {
    const { discovery, lease, isSpent, channel } = this
    return discovery !== undefined && lease === undefined && !isSpent && !channel.isEnded
  }

  /** Since when nobody has it; undefined while somebody does, or it starts. */
  get idle(): Idle | undefined {
    const isIdle = this.discovery !== undefined && this.lease === undefined
    return isIdle ? { sinceMs: this.lastUsedMs, isListening: false } : undefined
  }

  /** Nobody has it any more. */
  release(): void {
    this.lease = undefined
    this.used()
  }

  used(): void {
    this.lastUsedMs = this.options.now()
  }

  get capabilities(): Capabilities {
    return this.options.capabilities
  }

  /** Whether its clients can be asked for anything. */
  get mayAsk(): boolean {
    return Object.keys(this.capabilities).length > 0
  }

  /** Whether questions have to be on record. */
  get isOnRecord(): boolean {
    return this.options.watchQuestions !== undefined
  }

  /** Introduces us, who can do what its clients can. */
  async initialize(): Promise<Result<Discovery, Fault>> {
    const request = ownRequest('initialize', initializeParams(this.capabilities))
    const { startupTimeoutMs: timeoutMs } = this.options
    const setting = 'startup-timeout'
    const answered = await answerTo(this.channel, request, { timeoutMs, setting })
    const discovery = answered.ok ? discoveryIn(answered.value) : answered
    if (!discovery.ok) return discovery
    this.channel.send(INITIALIZED)
    this.discovery = discovery.value
    this.used()
    return discovery
  }

  /** It is to log from this level on, where it can be told so; what it answers to that is nobody's business. */
  setLevel(level: LogLevel): void {
    if (this.discovery?.takesLogLevel !== true || this.level === level) return
    this.level = level
    this.channel.call(ownRequest('logging/setLevel', { level }), UNHEARD, {
      timeoutMs: this.options.startupTimeoutMs,
    })
  }

  serverMessage(message: Request | Notification): void {
    if (message.kind === 'request') this.asked(message)
    else if (message.method === 'notifications/message') this.lease?.log(message)
    else if (message.method === 'notifications/cancelled') this.takenBack(message)
    else if (message.method.endsWith('/list_changed')) {
      this.vetted?.changed()
      this.tools.changed()
    }
  }

  ended(end: LinkEnd): void {
    this.options.onEnd(this, end)
  }

  /**
   * Who hears how a question to this caller ends, by default to whoever it was started for; undefined where nothing is on
   * record, or it cannot be put there.
   */
  watch(
    message: Request,
    caller = this.options.caller,
    context?: TraceContext,
  ): QuestionEnd | undefined {
    const { watchQuestions } = this.options
    const { process } = this.channel.link
    return watchQuestions?.asks(message, { caller, session: undefined, process, context })
  }

  /** Nobody can be asked this. */
  refuse(message: Request, caller?: Principal): void {
    this.watch(message, caller)?.end('no_client')
    const idText = slice(message.text, message.id)
    this.channel.send(
      `{"jsonrpc":"2.0","id":${idText},"error":{"code":-32601,"message":"not available: no client can be asked this now"}}`,
    )
  }

  private takenBack({ text, params }: Notification): void {
    const place = member(params, 'requestId')
    if (place) this.lease?.takesBack(slice(text, place))
  }

  private asked(message: Request): void {
    const { lease } = this
    if (message.method === 'ping') {
      this.channel.send(sharedAnswer(message.method, slice(message.text, message.id)))
    } else if (lease) lease.asks(message)
    else this.refuse(message)
  }
}
