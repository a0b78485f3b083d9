// From `initialize` to a session: which process will serve it, what the server answers, and the id
// that the client gets. A process of one session is new; a process of several is initialized once and its answer kept.

import type { Permit } from '../access/permit.ts'
import type { Observe } from '../conversation/channel.ts'
import type { Exchange } from '../http/exchange.ts'
import type { Span } from '../json/scan.ts'
import { fault, type Fault, type FaultCode } from '../mcp/faults.ts'
import { member, slice, stringAt, type Request, type Response } from '../mcp/message.ts'
import { ownInitialize } from '../mcp/own-request.ts'
import { ASSUMED, LATEST_LEGACY, revisionOf } from '../mcp/revision.ts'
import { rewrite } from '../mcp/rewrite.ts'
import type { RequestTrace } from '../telemetry/trace.ts'
import type { LinkEnd } from '../server/link.ts'
import type { LinkSource } from '../server/source.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { Backend, backendKey, type ProcessModel } from './backend.ts'
import { EventBudget } from './event-log.ts'
import { Session } from './session.ts'
import { MAX_SESSIONS, type Sessions } from './sessions.ts'

export interface OpeningOptions {
  readonly source: LinkSource
  readonly sessions: Sessions
  readonly model: ProcessModel
  readonly startupTimeoutMs: number
  readonly keepAliveMs: number
  readonly nextId: () => number
  readonly newSessionId: () => string
  readonly now: () => number
  readonly observe: Observe
  readonly onEnd: (backend: Backend, end: LinkEnd) => void
  /** A process has answered its initialize. */
  readonly onStarted: () => void
  /** A process could not be started, or did not answer. */
  readonly onStartFailed: (reason: string) => void
}

/** What a server answered to initialize: the message, and where its id stands. */
interface Answer {
  readonly text: string
  readonly id: Span | undefined
  readonly isError: boolean
  /** Where the negotiated version stands, with its quotes. */
  readonly version: Span | undefined
}

interface Opened {
  readonly backend: Backend
  readonly answer: Answer
}

type Start = Result<Opened, Fault>

/** A process from the moment it is asked for, and how many wait to join it. */
interface Process {
  readonly opened: Promise<Start>
  readonly claim: Claim
}

/** What a process is initialized with. */
interface First {
  readonly request: Request
  readonly trace: RequestTrace | undefined
}

interface Claim {
  waiting: number
}

/** Whom a new process is for. */
interface Use {
  /** Its only session, attached before it says anything. */
  readonly session: Session | undefined
  readonly isAwaited: () => boolean
  readonly onClosed: () => void
}

/** Faults that say something about the server, not about us. */
const START_FAULTS: ReadonlySet<FaultCode> = new Set([
  'server-not-started',
  'server-exited',
  'server-failed',
  'request-timeout',
])

export class Opening {
  private readonly options: OpeningOptions
  private readonly eventBudget = new EventBudget()
  private readonly shared = new Map<string, Process>()
  private readonly backends = new Set<Backend>()
  /** Sessions whose server has not answered yet. */
  private readonly waiting = new Set<Session>()

  constructor(options: OpeningOptions) {
    this.options = options
  }

  get inFlight(): number {
    return this.waiting.size
  }

  /** Answers an initialize request, with a session where the server agrees. */
  async initialize(
    permit: Permit,
    exchange: Exchange,
    request: Request,
    trace: RequestTrace | undefined,
  ): Promise<undefined> {
    const { reply } = exchange
    const idText = slice(request.text, request.id)
    if (this.options.sessions.size + this.waiting.size >= MAX_SESSIONS) {
      reply.fault(
        fault('no-capacity', 'too many sessions; try again later', {
          headers: { 'retry-after': '5' },
        }),
        idText,
      )
      return
    }
    const asked = askedVersion(request)
    const session = this.session(permit, asked)
    const stream = session.open(reply)
    reply.header('mcp-session-id', session.id)
    this.waiting.add(session)
    const { opened: opening, claim } = this.backend({ request, trace }, session)
    claim.waiting++
    const opened = await opening
    // It joins, or leaves, in this same turn: whoever waits behind it is not left with a process that has ended.
    claim.waiting--
    this.waiting.delete(session)
    const answer = opened.ok ? this.join(session, opened.value, reply.state === 'done') : opened
    if (answer.ok)
      session.revision = revisionOf(this.negotiated(answer.value, asked)) ?? session.revision
    if (!answer.ok || answer.value.isError) reply.header('mcp-session-id', undefined)
    if (!answer.ok) {
      stream.fault(answer.error, idText)
      return
    }
    stream.result(this.answerText(answer.value, asked, idText))
  }

  sweep(nowMs: number): void {
    for (const session of this.waiting) session.sweep(nowMs, this.options.keepAliveMs)
    for (const backend of this.backends) backend.channel.sweep(nowMs)
  }

  close(): void {
    for (const backend of this.backends) backend.channel.close()
  }

  private session(permit: Permit, asked: string): Session {
    const revision = revisionOf(asked) ?? revisionOf(LATEST_LEGACY)
    if (revision === undefined) throw new Error('the newest legacy revision is in the table')
    const { newSessionId, now } = this.options
    const { eventBudget } = this
    const principal = permit.principal.key
    return new Session({ id: newSessionId(), principal, revision, now, eventBudget })
  }

  /** The session joins its process and lives on, where the server agreed and the client still waits. */
  private join(session: Session, opened: Opened, isGone: boolean): Result<Answer, Fault> {
    const { answer, backend } = opened
    if (answer.isError || isGone) {
      backend.detach(session)
      return ok(answer)
    }
    if (backend.isClosed || backend.channel.isEnded) {
      return fail(
        fault('no-capacity', 'the server process has just ended; try again', {
          headers: { 'retry-after': '1' },
        }),
      )
    }
    backend.attach(session)
    this.options.sessions.add({ session, backend })
    return ok(answer)
  }

  private backend(first: First, session: Session): Process {
    const key = backendKey(this.options.model, session.principal, first.request)
    if (key !== undefined) return this.shared.get(key) ?? this.startShared(key, first)
    const use = { session, isAwaited: () => false, onClosed: () => undefined }
    return { opened: this.start(first, use), claim: { waiting: 0 } }
  }

  private startShared(key: string, first: First): Process {
    const claim: Claim = { waiting: 0 }
    const opened = this.start(
      this.options.model === 'shared' ? { ...first, request: ownInitialize() } : first,
      {
        session: undefined,
        isAwaited: () => claim.waiting > 0,
        onClosed: () => {
          if (this.shared.get(key) === shared) this.shared.delete(key)
        },
      },
    )
    const shared = { opened, claim }
    this.shared.set(key, shared)
    return shared
  }

  /** A new process, initialized. */
  private async start(first: First, { session, isAwaited, onClosed }: Use): Promise<Start> {
    const { source, model, nextId, now, observe } = this.options
    const link = await source.open()
    if (!link.ok) {
      onClosed()
      this.failed(link.error)
      return link
    }
    const backend = new Backend({
      link: link.value,
      model,
      nextId,
      now,
      observe,
      isAwaited,
      onUnused: onClosed,
      onEnd: (ended, end) => {
        onClosed()
        this.backends.delete(ended)
        this.options.onEnd(ended, end)
      },
    })
    this.backends.add(backend)
    if (session) backend.attach(session)
    const answer = await this.ask(backend, first)
    if (answer.ok) {
      this.options.onStarted()
      return ok({ backend, answer: answer.value })
    }
    backend.close()
    this.failed(answer.error)
    return answer
  }

  private failed({ code, message }: Fault): void {
    if (START_FAULTS.has(code)) this.options.onStartFailed(message)
  }

  /**
   * What this client and the server speak. A process that everybody shares was initialized in our
   * words: to an older client it is of the client's revision, which ours contains.
   */
  private negotiated({ text, version }: Answer, asked: string): string {
    const told = stringAt(text, version) ?? asked
    const isOlder = revisionOf(asked) !== undefined && asked < told
    return this.options.model === 'shared' && isOlder ? asked : told
  }

  private answerText(answer: Answer, asked: string, idText: string): string {
    const { text, id, version } = answer
    const edits = id ? [{ start: id.start, end: id.end, text: idText }] : []
    if (this.options.model === 'shared' && version) {
      const told = JSON.stringify(this.negotiated(answer, asked))
      edits.push({ start: version.start, end: version.end, text: told })
    }
    return rewrite(text, edits)
  }

  private ask(backend: Backend, { request, trace }: First): Promise<Result<Answer, Fault>> {
    return new Promise((resolve) => {
      const answer = (_text: string, { text, id, result }: Response): void => {
        const version = member(result?.object, 'protocolVersion')
        resolve(ok({ text, id, isError: result === undefined, version }))
      }
      const caller = {
        answer,
        notice: (text: string): boolean => {
          for (const session of backend.sessions) session.tell(text)
          return true
        },
        fault: (reason: Fault): void => resolve(fail(reason)),
      }
      const timeoutMs = this.options.startupTimeoutMs
      backend.channel.call(request, caller, { timeoutMs, trace })
    })
  }
}

const askedVersion = ({ text, params }: Request): string =>
  stringAt(text, member(params, 'protocolVersion')) ?? ASSUMED
