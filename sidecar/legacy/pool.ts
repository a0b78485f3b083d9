// The legacy server processes: started and initialized for the session that needs one, found again for those that may
// share it, and kept until they end. A process of one session is new; one of several is initialized once and its
// answer kept.

import { fail, ok, type Result } from '../../shared/result.ts'
import { EVERYBODY, type Principal } from '../access/principal.ts'
import { idEdit } from '../conversation/answer.ts'
import type { Observe } from '../conversation/call.ts'
import { START_FAULTS } from '../conversation/call-faults.ts'
import type { Span } from '../json/scan.ts'
import type { Fault } from '../mcp/faults.ts'
import { member, type Request, type Response } from '../mcp/message.ts'
import { ownInitialize } from '../mcp/own-request.ts'
import type { Edit } from '../mcp/rewrite.ts'
import type { Remarks } from '../mcp/tolerance.ts'
import type { Vetting } from '../conversation/vetting.ts'
import type { Envelope, LinkEnd } from '../server/link.ts'
import type { GiveUp, LinkSource } from '../server/source.ts'
import type { CallRecord } from '../conversation/record.ts'
import type { Operation } from '../telemetry/operations.ts'
import type { Passes, RequestTrace } from '../telemetry/trace.ts'
import { oneOnly } from '../server/one-only.ts'
import { Backend, backendKey, type ProcessModel } from './backend.ts'
import type { Session } from './session.ts'
import type { SessionWatch } from './sessions.ts'

export interface PoolOptions {
  readonly source: LinkSource
  readonly model: ProcessModel
  readonly startupTimeoutMs: number
  readonly nextId: () => number
  readonly now: () => number
  readonly observe: Observe
  readonly remarks: Remarks
  /** Undefined where there is none. */
  readonly vetting?: (() => Vetting | undefined) | undefined
  readonly tracing?: (() => Passes | undefined) | undefined
  /** Where records are kept. */
  readonly watchSessions?: SessionWatch | undefined
  readonly onEnd: (backend: Backend, end: LinkEnd) => void
  /** A process whose sessions are all idle is to be given up: they are to end. */
  readonly onGiveUp: (backend: Backend, why?: GiveUp) => void
  /** A process has answered its initialize. */
  readonly onStarted: () => void
  /** A process could not be started, or did not answer. */
  readonly onStartFailed: (reason: string) => void
  /** A process has ended by itself and answered nothing but its initialize. */
  readonly onDied: (reason: string) => void
}

/** What a process is initialized with. */
export interface First {
  readonly request: Request
  readonly trace: RequestTrace | undefined
  readonly operation: Operation | undefined
  readonly record: CallRecord | undefined
  /** Its caller's own headers, where any go on. */
  readonly headers?: Envelope['headers'] | undefined
}

/** What a server answered to initialize: the message, and how it gets an id. */
export interface Answer {
  readonly text: string
  readonly idEdit: (idText: string) => Edit
  readonly isError: boolean
  /** Where the negotiated version stands, with its quotes. */
  readonly version: Span | undefined
}

export interface Started {
  readonly backend: Backend
  readonly answer: Answer
}

/** A process from the moment it is asked for, and how many wait to join it. */
interface Process {
  readonly started: Promise<Result<Started, Fault>>
  readonly claim: Claim
}

interface Claim {
  waiting: number
}

/** Whom a new process is for. */
interface Use {
  /** Who holds its place. */
  readonly principal: string
  /** Absent of everybody. */
  readonly caller?: Principal | undefined
  /** Its only session, attached before it says anything. */
  readonly session: Session | undefined
  readonly isAwaited: () => boolean
  readonly onClosed: () => void
}

export class Pool {
  private readonly options: PoolOptions
  private readonly shared = new Map<string, Process>()
  private readonly backends = new Set<Backend>()

  constructor(options: PoolOptions) {
    this.options = options
  }

  /**
   * Gives a session its process, initialized, or the fault. It joins, or leaves, in the turn in which it is called
   * back: whoever waits behind it is not left with a process that has ended.
   */
  async give(
    session: Session,
    first: First,
    join: (started: Result<Started, Fault>) => void,
  ): Promise<undefined> {
    const { started, claim } = this.process(session, first)
    claim.waiting++
    const result = await started
    claim.waiting--
    join(result)
  }

  sweep(nowMs: number): void {
    for (const backend of this.backends) backend.channel.sweep(nowMs)
  }

  close(): void {
    for (const backend of this.backends) backend.channel.close()
  }

  private process(session: Session, first: First): Process {
    const key = backendKey(this.options.model, session.principal, first.request)
    if (key !== undefined) return this.shared.get(key) ?? this.startShared(key, session, first)
    const { principal, caller } = session
    const use = { principal, caller, session, isAwaited: () => false, onClosed: () => undefined }
    return { started: this.start(first, use), claim: { waiting: 0 } }
  }

  private startShared(key: string, { principal, caller }: Session, first: First): Process {
    const claim: Claim = { waiting: 0 }
    const isEverybodys = this.options.model === 'shared'
    const started = this.start(isEverybodys ? { ...first, request: ownInitialize() } : first, {
      principal: isEverybodys ? EVERYBODY.key : principal,
      caller: isEverybodys ? undefined : caller,
      session: undefined,
      isAwaited: () => claim.waiting > 0,
      onClosed: () => {
        if (this.shared.get(key) === shared) this.shared.delete(key)
      },
    })
    const shared = { started, claim }
    this.shared.set(key, shared)
    return shared
  }

  /** A new process, initialized. */
  private async start(first: First, use: Use): Promise<Result<Started, Fault>> {
    let running: Backend | undefined
    const link = await this.options.source.open({
      principal: use.principal,
      caller: use.caller,
      ...(use.session ? { session: use.session.name } : {}),
      get idle() {
        return running?.idle
      },
      giveUp: (why) => running && this.options.onGiveUp(running, why),
    })
    if (!link.ok) {
      use.onClosed()
      this.failed(link.error)
      return link
    }
    const { model, nextId, now, observe, remarks } = this.options
    const backend: Backend = new Backend({
      link: link.value,
      model,
      nextId,
      now,
      observe,
      hint: () => (this.hasOthers(backend) ? oneOnly(model) : undefined),
      remarks,
      isShared: model === 'shared',
      vetting: this.options.vetting?.(),
      tracing: this.options.tracing,
      watchQuestions: this.options.watchSessions?.questions,
      isAwaited: use.isAwaited,
      onUnused: use.onClosed,
      onEnd: (ended, end) => {
        use.onClosed()
        this.backends.delete(ended)
        if (!ended.isClosed && ended.channel.answers === 1) this.options.onDied(end.message)
        this.options.onEnd(ended, end)
      },
    })
    running = backend
    this.backends.add(backend)
    if (use.session) backend.attach(use.session)
    const answer = await this.initialize(backend, first)
    if (answer.ok) {
      this.options.onStarted()
      return ok({ backend, answer: answer.value })
    }
    backend.close()
    // Of a server of which others run it says nothing.
    if (!this.hasOthers(backend)) this.failed(answer.error)
    return answer
  }

  private hasOthers(backend: Backend): boolean {
    for (const other of this.backends) {
      if (other !== backend && !other.isClosed && other.channel.hasAnswered) return true
    }
    return false
  }

  private failed({ code, message }: Fault): void {
    if (START_FAULTS.has(code)) this.options.onStartFailed(message)
  }

  private initialize(
    backend: Backend,
    { request, trace, operation, record, headers }: First,
  ): Promise<Result<Answer, Fault>> {
    return new Promise((resolve) => {
      const answer = (_text: string, response: Response): void => {
        const { text, result } = response
        const version = member(result?.object, 'protocolVersion')
        const edit = (idText: string): Edit => idEdit(response, idText)
        resolve(ok({ text, idEdit: edit, isError: result === undefined, version }))
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
      const setting = 'startup-timeout'
      backend.channel.call(request, caller, {
        timeoutMs,
        setting,
        trace,
        operation,
        record,
        headers,
      })
    })
  }
}
