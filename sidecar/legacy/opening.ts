// From `initialize` to a session: which process will serve it, what the server answers, and the id
// that the client gets. A process of one session is new; a process of several is initialized once and its answer kept.

import type { Permit } from '../access/permit.ts'
import type { Observe } from '../bridge/channel.ts'
import type { Exchange } from '../front/exchange.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import { member, slice, stringAt, type Request, type Response } from '../mcp/message.ts'
import { ASSUMED, LATEST_LEGACY, revisionOf, type Revision } from '../mcp/revision.ts'
import { rewrite } from '../mcp/rewrite.ts'
import type { LinkEnd } from '../upstream/link.ts'
import type { LinkSource } from '../upstream/source.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { Backend, backendKey, type ProcessModel } from './backend.ts'
import { Session } from './session.ts'
import type { Sessions } from './sessions.ts'
import { sharedInitialize } from './shared-initialize.ts'

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
}

/** What a server answered to initialize: the message, and where its id stands. */
interface Answer {
  readonly text: string
  readonly idStart: number
  readonly idLength: number
  readonly isError: boolean
  readonly revision: Revision | undefined
}

interface Opened {
  readonly backend: Backend
  readonly answer: Answer
}

export class Opening {
  private readonly options: OpeningOptions
  /** Processes that several sessions share, by key, from the moment they are asked for. */
  private readonly shared = new Map<string, Promise<Result<Opened, Fault>>>()
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
  async initialize(permit: Permit, exchange: Exchange, request: Request): Promise<void> {
    const { reply } = exchange
    const idText = slice(request.text, request.id)
    if (this.options.sessions.isFull) {
      reply.fault(
        fault('no-capacity', 'too many sessions; try again later', {
          headers: { 'retry-after': '5' },
        }),
        idText,
      )
      return
    }
    const session = this.session(permit, request)
    const stream = session.open(reply)
    reply.header('mcp-session-id', session.id)
    this.waiting.add(session)
    const opened = await this.backend(permit, request, session)
    this.waiting.delete(session)
    const answer = opened.ok ? this.join(session, opened.value, reply.state === 'done') : opened
    if (!answer.ok || answer.value.isError) reply.header('mcp-session-id', undefined)
    if (!answer.ok) {
      stream.fault(answer.error, idText)
      return
    }
    const { text, idStart: start, idLength } = answer.value
    stream.result(rewrite(text, [{ start, end: start + idLength, text: idText }]))
  }

  sweep(nowMs: number): void {
    for (const session of this.waiting) session.sweep(nowMs, this.options.keepAliveMs)
    for (const backend of this.backends) backend.channel.sweep(nowMs)
  }

  close(): void {
    for (const backend of this.backends) backend.channel.close()
  }

  private session(permit: Permit, request: Request): Session {
    const asked = stringAt(request.text, member(request.params, 'protocolVersion')) ?? ASSUMED
    const revision = revisionOf(asked) ?? revisionOf(LATEST_LEGACY)
    if (revision === undefined) throw new Error('the newest legacy revision is in the table')
    const { newSessionId, now } = this.options
    return new Session({ id: newSessionId(), principal: permit.principal.key, revision, now })
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
    if (answer.revision) session.revision = answer.revision
    backend.attach(session)
    this.options.sessions.add({ session, backend })
    return ok(answer)
  }

  private backend(
    permit: Permit,
    request: Request,
    session: Session,
  ): Promise<Result<Opened, Fault>> {
    const key = backendKey(this.options.model, permit.principal.key, request)
    if (key === undefined) return this.start(request, session, () => undefined)
    const running = this.shared.get(key)
    if (running) return running
    const asked = this.options.model === 'shared' ? sharedInitialize(request) : request
    const opened = this.start(asked, undefined, () => {
      if (this.shared.get(key) === opened) this.shared.delete(key)
    })
    this.shared.set(key, opened)
    return opened
  }

  /** A new process, initialized; a session of its own is attached before it says anything. */
  private async start(
    request: Request,
    session: Session | undefined,
    onClosed: () => void,
  ): Promise<Result<Opened, Fault>> {
    const { source, model, nextId, now, observe } = this.options
    const link = await source.open()
    if (!link.ok) {
      onClosed()
      return link
    }
    const backend = new Backend({
      link: link.value,
      model,
      nextId,
      now,
      observe,
      onUnused: onClosed,
      onEnd: (ended, end) => {
        onClosed()
        this.backends.delete(ended)
        this.options.onEnd(ended, end)
      },
    })
    this.backends.add(backend)
    if (session) backend.attach(session)
    const answer = await this.ask(backend, request)
    if (answer.ok) return ok({ backend, answer: answer.value })
    backend.close()
    return answer
  }

  private ask(backend: Backend, request: Request): Promise<Result<Answer, Fault>> {
    const idText = slice(request.text, request.id)
    return new Promise((resolve) => {
      const answer = (text: string, response: Response): void => {
        resolve(
          ok({
            text,
            idStart: response.id?.start ?? 0,
            idLength: idText.length,
            isError: response.result === undefined,
            revision: revisionIn(response),
          }),
        )
      }
      const caller = {
        answer,
        notice: (text: string): void => {
          for (const session of backend.sessions) session.tell(text)
        },
        fault: (reason: Fault): void => resolve(fail(reason)),
      }
      const timeoutMs = this.options.startupTimeoutMs
      backend.channel.call(request, caller, { timeoutMs })
    })
  }
}

const revisionIn = ({ text, result }: Response): Revision | undefined => {
  const version = stringAt(text, member(result?.object, 'protocolVersion'))
  return version === undefined ? undefined : revisionOf(version)
}
