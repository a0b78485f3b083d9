// From `initialize` to a session: what the client and the server speak, what the client is answered, and the id that
// its session gets. Which process serves it is the pool's business.

import { fail, ok, type Result } from '../../shared/result.ts'
import type { Budget } from '../bytes/budget.ts'
import { keepPlace } from '../conversation/cost.ts'
import type { Ticket } from '../conversation/ticket.ts'
import type { Permit } from '../access/permit.ts'
import type { Exchange } from '../http/exchange.ts'
import type { Reply } from '../http/reply.ts'
import { fault, tooManyWait, type Fault } from '../mcp/faults.ts'
import { member, slice, stringAt, type Request } from '../mcp/message.ts'
import { ASSUMED, LATEST_LEGACY, revisionOf } from '../mcp/revision.ts'
import { rewrite } from '../mcp/rewrite.ts'
import type { ProcessModel } from './backend.ts'
import { Logs } from './event-log.ts'
import type { Vetting } from '../conversation/vetting.ts'
import type { Answer, First, Pool, Started } from './pool.ts'
import { Session } from './session.ts'
import { MAX_SESSIONS, type Sessions } from './sessions.ts'

/** An initialize request as it came. */
export interface AskedFirst extends First {
  readonly ticket: Ticket | undefined
}

export interface OpeningOptions {
  readonly pool: Pool
  readonly sessions: Sessions
  readonly model: ProcessModel
  readonly keepAliveMs: number
  readonly newSessionId: () => string
  /** Of one session, with the server at once. */
  readonly maxConcurrentCalls: number
  readonly clientTimeoutMs: number
  readonly budget: Budget
  /** Undefined where there is none. */
  readonly vetting?: (() => Vetting | undefined) | undefined
  readonly now: () => number
}

export class Opening {
  private readonly options: OpeningOptions
  private readonly logs: Logs
  /** Sessions whose server has not answered yet. */
  private readonly waiting = new Set<Session>()

  constructor(options: OpeningOptions) {
    this.options = options
    this.logs = new Logs(options.budget)
  }

  get inFlight(): number {
    return this.waiting.size
  }

  /** Answers an initialize request, with a session where the server agrees. */
  initialize(
    permit: Permit,
    { reply }: Exchange,
    first: AskedFirst,
  ): undefined | Promise<undefined> {
    const { request, ticket } = first
    const idText = slice(request.text, request.id)
    if (!this.options.sessions.hasRoom(permit.principal.key, this.waiting)) {
      ticket?.end('no-capacity')
      reply.fault(
        fault(
          'no-capacity',
          `${MAX_SESSIONS} sessions are open; one ends when it is idle for outrigger.dev/idle-timeout`,
          {
            headers: { 'retry-after': '5' },
          },
        ),
        idText,
      )
      return undefined
    }
    const lease = this.options.budget.lease('calls')
    if (!keepPlace(lease, request)) {
      ticket?.end('too-many-requests')
      reply.fault(tooManyWait(this.options.budget.bytes), idText)
      return undefined
    }
    const asked = askedVersion(request)
    const session = this.session(permit, asked)
    const stream = session.open(reply)
    reply.header('mcp-session-id', session.id)
    reply.session = session.name
    this.waiting.add(session)
    return this.options.pool.give(session, first, (started) => {
      lease.release()
      this.waiting.delete(session)
      ticket?.end(started.ok ? undefined : started.error.code)
      const answer = started.ok ? this.join(session, started.value, reply) : started
      if (answer.ok) session.opened(this.negotiated(answer.value, asked))
      if (!answer.ok || answer.value.isError) reply.header('mcp-session-id', undefined)
      const told = answer.ok
        ? this.seenBy(session, this.answerText(answer.value, asked, idText))
        : fail(answer.error)
      if (told.ok) {
        // Whoever joins a process that is there already has asked it nothing.
        first.operation?.end(undefined)
        stream.result(told.value, idText)
      } else stream.fault(told.error, idText)
    })
  }

  /** Keeps the connections of those alive whose server has not answered yet. */
  sweep(nowMs: number): void {
    for (const session of this.waiting) session.sweep(nowMs, this.options.keepAliveMs)
  }

  private session(permit: Permit, asked: string): Session {
    const revision = revisionOf(asked) ?? revisionOf(LATEST_LEGACY)
    if (revision === undefined) throw new Error('the newest legacy revision is in the table')
    const { newSessionId, maxConcurrentCalls, clientTimeoutMs, now } = this.options
    const { logs } = this
    return new Session({
      id: newSessionId(),
      caller: permit.principal,
      rights: permit.granted?.rights,
      revision,
      maxConcurrentCalls,
      clientTimeoutMs,
      now,
      logs,
    })
  }

  /** The session joins its process and lives on, where the server agreed and the client still waits. */
  private join(
    session: Session,
    { answer, backend }: Started,
    reply: Reply,
  ): Result<Answer, Fault> {
    if (answer.isError || reply.state === 'done') {
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

  /** The answer without what a tool lock or a tool policy hides. */
  private seenBy({ rights }: Session, answer: string): Result<string, Fault> {
    const kept = this.options.vetting?.()?.first('initialize', answer) ?? ok(answer)
    if (!kept.ok) return kept
    const seen = rights?.filterOf('initialize')?.(kept.value) ?? kept
    return seen.ok ? seen : fail(fault('unusable-answer', seen.error))
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
    const { text, version } = answer
    const edits = [answer.idEdit(idText)]
    if (this.options.model === 'shared' && version) {
      const told = JSON.stringify(this.negotiated(answer, asked))
      edits.push({ start: version.start, end: version.end, text: told })
    }
    return rewrite(text, edits)
  }
}

const askedVersion = ({ text, params }: Request): string =>
  stringAt(text, member(params, 'protocolVersion')) ?? ASSUMED
