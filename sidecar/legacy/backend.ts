// One legacy server process and the sessions that it serves: one (model `session`), those of one
// principal, or everybody's. It decides which session hears what the server says; where that cannot be
// known for sure across principals, nobody does.

import type { Idle } from '../access/room.ts'
import type { Call } from '../conversation/call.ts'
import { errorType } from '../conversation/answer.ts'
import { Channel, type ChannelOptions, type ChannelOwner } from '../conversation/channel.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import type { Span } from '../json/scan.ts'
import {
  isIdentifier,
  member,
  slice,
  stringAt,
  type Notification,
  type Request,
  type Response,
} from '../mcp/message.ts'
import { UPDATED } from '../mcp/meta.ts'
import { rewrite } from '../mcp/rewrite.ts'
import type { Vetted, Vetting } from '../conversation/vetting.ts'
import type { LinkEnd } from '../server/link.ts'
import type { Hop, Passes, RequestTrace } from '../telemetry/trace.ts'
import { injection } from '../telemetry/trace-context.ts'
import {
  mayNotAsk,
  noClient,
  noRecord,
  sharedAnswer,
  type QuestionEnd,
  type QuestionWatch,
} from './questions.ts'
import type { LeftBehind, Session } from './session.ts'
import { Subscriptions } from './subscriptions.ts'

export type ProcessModel = 'session' | 'principal' | 'shared'

/** What becomes of a request once its subscription, if it is one, has been counted. */
export type Counted = 'forward' | 'settled' | Fault

export interface BackendOptions extends Omit<ChannelOptions, 'owner'> {
  readonly model: ProcessModel
  /** The process is being ended and takes no further session. */
  readonly onUnused: () => void
  /** Undefined where there is none. */
  readonly vetting?: Vetting | undefined
  /** Where traces are on. */
  readonly tracing?: (() => Passes | undefined) | undefined
  /** Where records are kept. */
  readonly watchQuestions?: QuestionWatch | undefined
  /** Whether a session waits to join. */
  readonly isAwaited: () => boolean
  /** The process has ended; its sessions are still attached. */
  readonly onEnd: (backend: Backend, end: LinkEnd) => void
}

/** A request of the server's on its way to a client. */
interface Asks {
  readonly message: Request
  readonly idText: string
  readonly hop: Hop | undefined
  readonly watch: QuestionEnd
}

export class Backend implements ChannelOwner {
  readonly channel: Channel
  readonly model: ProcessModel
  readonly sessions = new Set<Session>()
  /** What its words are held against; undefined where there is nothing. */
  readonly vetted: Vetted | undefined
  private readonly options: BackendOptions
  private readonly subscriptions = new Subscriptions()
  /** No session may join any more. */
  isClosed = false
  private isInitialized = false

  constructor(options: BackendOptions) {
    this.options = options
    this.model = options.model
    this.channel = new Channel({ ...options, owner: this })
    this.vetted = options.vetting?.over(this.channel)
  }

  /** Since when all its sessions have been idle; undefined while one is not, or somebody is about to join. */
  get idle(): Idle | undefined {
    if (this.sessions.size === 0 || this.options.isAwaited()) return undefined
    let sinceMs = -Infinity
    let isListening = false
    for (const { idle } of this.sessions) {
      if (idle === undefined) return undefined
      sinceMs = Math.max(sinceMs, idle.sinceMs)
      isListening ||= idle.isListening
    }
    return { sinceMs, isListening }
  }

  /** Takes on a session; where it is the only one, its slow client slows the server down. */
  attach(session: Session): void {
    this.sessions.add(session)
    if (this.model !== 'session') return
    session.onSlow = (isSlow) => (isSlow ? this.channel.link.pause() : this.channel.link.resume())
  }

  /** A session leaves; the process ends with its last one, else it need not do more for this one. */
  detach(session: Session, { calls, asked }: LeftBehind = NOTHING): void {
    this.sessions.delete(session)
    if (this.sessions.size === 0 && !this.options.isAwaited()) {
      this.close()
      return
    }
    for (const call of calls) this.channel.cancel(call, 'disconnected')
    for (const idText of asked) this.channel.send(noClient(idText))
    for (const uri of this.subscriptions.leave(session)) this.unsubscribe(uri)
  }

  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.options.onUnused()
    this.channel.close()
  }

  /** A client's notification; what concerns one session only never reaches the others' server. */
  notification(session: Session, message: Notification, trace?: RequestTrace): void {
    session.lastUsedMs = this.options.now()
    if (message.method === 'notifications/cancelled') {
      this.cancelled(session, message)
      return
    }
    if (message.method === 'notifications/initialized') {
      if (this.isInitialized) return
      this.isInitialized = true
    }
    if (this.vetted?.drops(message) === true) return
    // A process shared by principals was promised no roots; one principal's are no news to it.
    if (this.model === 'shared' && message.method === 'notifications/roots/list_changed') return
    const hop = trace?.send(undefined, this.channel.link.port)
    this.channel.send(withContext(message, hop))
    hop?.end(undefined)
  }

  /** A client's answer to a request of the server's; dropped where this client was not asked. */
  response(session: Session, message: Response): void {
    const { id, text } = message
    const exact = id && session.answered(slice(text, id), errorType(message), message)
    if (id === undefined || exact === undefined) return
    this.channel.send(rewrite(text, [{ start: id.start, end: id.end, text: exact }]))
  }

  /** The client has not answered a request of the server's in its time: both sides hear so. */
  unanswered(session: Session, idText: string): void {
    const why = `the client did not answer within ${session.clientTimeoutMs} ms (outrigger.dev/client-timeout)`
    this.channel.send(`{"jsonrpc":"2.0","id":${idText},"error":{"code":-32001,"message":"${why}"}}`)
    session.tell(
      `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${idText},"reason":"timeout"}}`,
    )
  }

  /**
   * Keeps count of the subscriptions to a process that several sessions share. `settled`: the server need not hear
   * of it, as other sessions still need what the request undoes. The fault is for a session with too many.
   */
  countSubscription(session: Session, { method, text, params }: Request): Counted {
    if (this.model === 'session' || !method.endsWith('subscribe')) return 'forward'
    const uri = stringAt(text, member(params, 'uri'))
    if (uri === undefined) return 'forward'
    if (method === 'resources/unsubscribe') {
      return this.subscriptions.remove(session, uri) ? 'forward' : 'settled'
    }
    return method !== 'resources/subscribe' || this.subscriptions.add(session, uri)
      ? 'forward'
      : fault('too-many-requests', 'too many subscriptions, or too long a uri')
  }

  serverMessage(message: Request | Notification, relatedTo: Call | undefined): void {
    if (message.kind === 'request') this.serverRequest(message, relatedTo)
    else this.serverNotification(message, relatedTo)
  }

  ended(end: LinkEnd): void {
    this.options.onEnd(this, end)
  }

  /** The client gives up a request: the server hears our id of it, and nobody waits any more. */
  private cancelled(session: Session, message: Notification): void {
    const { text } = message
    const place = cancelledId(message)
    const found = place && session.find(slice(text, place))
    if (!found) return
    if (found.call) {
      const edit = { start: place.start, end: place.end, text: `${found.call.id}` }
      this.channel.withdraw(found.call, rewrite(text, [edit]))
    }
    found.fault(fault('request-cancelled', 'the client cancelled the request'))
  }

  private serverRequest(message: Request, relatedTo: Call | undefined): void {
    const idText = slice(message.text, message.id)
    const session =
      this.model === 'shared' ? undefined : (this.sessionOf(relatedTo) ?? this.busiest())
    const denial = this.denialOf(message, session, idText)
    const hop = denial === undefined ? this.pass(message, session, relatedTo) : undefined
    const watch = this.watch(message, session, hop)
    const refuse = (why: string, text: string): void => {
      ;(watch ?? hop)?.end(why)
      this.channel.send(text)
    }
    if (denial !== undefined) refuse('denied', denial)
    else if (!watch) refuse('no_client', noRecord(idText))
    else if (!session || !this.put(session, { message, idText, hop, watch }, relatedTo)) {
      refuse('no_client', noClient(idText))
    }
  }

  /** What the server hears where nobody may be asked; undefined where somebody may. */
  private denialOf(
    { method }: Request,
    session: Session | undefined,
    idText: string,
  ): string | undefined {
    if (this.model === 'shared') return sharedAnswer(method, idText)
    return session?.rights?.mayBeAsked(method) === false ? mayNotAsk(idText) : undefined
  }

  /** Who hears how it ends; undefined where it cannot be put on record. A ping asks for nothing. */
  private watch(
    message: Request,
    session: Session | undefined,
    hop: Hop | undefined,
  ): QuestionEnd | undefined {
    const { watchQuestions } = this.options
    if (!watchQuestions || message.method === 'ping') {
      return { end: (errorType) => hop?.end(errorType) }
    }
    const record = watchQuestions.asks(message, {
      caller: session?.caller,
      session: session?.name,
      process: this.channel.link.process,
      context: hop?.context,
    })
    return (
      record && {
        end: (errorType, response) => {
          hop?.end(errorType)
          record.end(errorType, response)
        },
      }
    )
  }

  /** Puts a request of the server's to a client; false where nobody would hear it. */
  private put(
    session: Session,
    { message, idText, hop, watch }: Asks,
    relatedTo: Call | undefined,
  ): boolean {
    const call = session.callOf(relatedTo)
    const mayTakeTime = message.method !== 'ping'
    const { isPut, forgotten } = session.ask(idText, withContext(message, hop), call, mayTakeTime)
    if (isPut) session.watched(idText, watch)
    if (forgotten !== undefined) this.channel.send(noClient(forgotten))
    return isPut
  }

  private serverNotification(message: Notification, relatedTo: Call | undefined): void {
    if (message.method.endsWith('/list_changed')) this.vetted?.changed()
    const updated = updatedUri(message)
    const text = this.noticeText(message)
    for (const session of this.audience(message, relatedTo)) {
      // A policy may have changed since it subscribed.
      if (updated !== undefined && session.rights?.mayRead(updated) === false) continue
      const isGeneral = message.method.endsWith('_changed') || message.method.endsWith('/updated')
      if (isGeneral) session.announce(text)
      else session.tell(text, session.callOf(relatedTo))
    }
  }

  private noticeText(message: Notification): string {
    const hop = QUIET.has(message.method) ? undefined : this.pass(message)
    hop?.end(undefined)
    return withContext(message, hop)
  }

  private audience(message: Notification, relatedTo: Call | undefined): Iterable<Session> {
    if (message.method === 'notifications/cancelled') {
      const place = cancelledId(message)
      const idText = place && slice(message.text, place)
      return [...this.sessions].filter(
        (session) => idText !== undefined && session.takenBack(idText),
      )
    }
    if (this.model === 'session' || message.method.endsWith('/list_changed')) return this.sessions
    if (message.method === UPDATED) {
      return this.subscriptions.of(stringAt(message.text, member(message.params, 'uri')))
    }
    // A log line says not whose call it is about: across principals nobody gets it.
    const session =
      this.sessionOf(relatedTo) ?? (this.model === 'shared' ? undefined : this.busiest())
    return session ? [session] : []
  }

  /** Of what the server says by itself; it belongs to the only call that it can belong to, else to none. */
  private pass(
    message: Request | Notification,
    session?: Session,
    relatedTo?: Call,
  ): Hop | undefined {
    const call = relatedTo ?? session?.onlyCall
    return this.options.tracing?.()?.pass(message, {
      parent: call?.hop?.context,
      port: this.channel.link.port,
      session: session?.name,
    })
  }

  private sessionOf(call: Call | undefined): Session | undefined {
    return call && [...this.sessions].find((session) => session.callOf(call))
  }

  /** The session that most likely caused what the server does now: the one used last, with calls first. */
  private busiest(): Session | undefined {
    let best: Session | undefined
    for (const session of this.sessions) {
      if (!best || rank(session) > rank(best)) best = session
    }
    return best
  }

  private unsubscribe(uri: string): void {
    const params = JSON.stringify({ uri })
    this.channel.send(
      `{"jsonrpc":"2.0","id":${this.options.nextId()},"method":"resources/unsubscribe","params":${Buffer.from(params).toString('latin1')}}`,
    )
  }
}

/** Without spans of their own: they belong to a call that has one, and would bury it. */
const QUIET: ReadonlySet<string> = new Set(['notifications/progress', 'notifications/message'])

const withContext = (message: Request | Notification, hop: Hop | undefined): string =>
  hop ? rewrite(message.text, injection(message, hop.context)) : message.text

const NOTHING: LeftBehind = { calls: [], asked: [] }

/** Which request a cancellation means; what is no id, or longer than any, is nobody's. */
const cancelledId = ({ text, params }: Notification): Span | undefined => {
  const place = member(params, 'requestId')
  return place && isIdentifier(text, place) ? place : undefined
}

/** The resource that a notification says has changed; undefined of any other. */
const updatedUri = ({ method, text, params }: Notification): string | undefined =>
  method === UPDATED ? (stringAt(text, member(params, 'uri')) ?? '') : undefined

const rank = (session: Session): number =>
  session.lastUsedMs + (session.inFlight > 0 ? Number.MAX_SAFE_INTEGER / 2 : 0)

/** The key of the process that serves a session: what its sessions must have in common. */
export const backendKey = (
  model: ProcessModel,
  principal: string,
  initialize: Request,
): string | undefined => {
  if (model === 'session') return undefined
  if (model === 'shared') return 'shared'
  const part = (name: string): string => {
    const place = member(initialize.params, name)
    return place === undefined ? '' : slice(initialize.text, place)
  }
  return JSON.stringify([principal, part('protocolVersion'), part('capabilities')])
}
