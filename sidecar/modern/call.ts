// One modern request and its reply, from the moment it came: what answers it, who hears of it, and that who hangs up
// cancels.

import type { Permit } from '../access/permit.ts'
import type { Rights } from '../access/rights.ts'
import type { Budget, Lease } from '../bytes/budget.ts'
import type { Asked } from '../conversation/ask.ts'
import type { Call, Caller } from '../conversation/call.ts'
import { keepPlace } from '../conversation/cost.ts'
import type { CallRecord } from '../conversation/record.ts'
import type { Ticket } from '../conversation/ticket.ts'
import type { Reply } from '../http/reply.ts'
import { blockedFault, noRoom, tooManyWait, type Fault, type FaultCode } from '../mcp/faults.ts'
import { member, slice, type Request, type Response } from '../mcp/message.ts'
import { SUBSCRIBE, SUBSCRIPTION_KEY } from '../mcp/meta.ts'
import type { Operation } from '../telemetry/operations.ts'
import type { RequestTrace } from '../telemetry/trace.ts'
import type { ModernProcess } from './process.ts'

/** HTTP status by JSON-RPC error code (2026-07-28, transports); other errors are 200. */
const STATUS: ReadonlyMap<number, number> = new Map([
  [-32_601, 404],
  [-32_700, 400],
  [-32_600, 400],
  [-32_020, 400],
  [-32_021, 400],
  [-32_022, 400],
])

/** Whoever keeps the calls. */
export interface CallOwner {
  readonly now: () => number
  /** For what it takes while it waits. */
  readonly budget: Budget
  done(call: ModernCall): void
}

export interface CallTerms extends Pick<Asked, 'trace' | 'operation' | 'ticket' | 'record'> {
  readonly granted: Permit['granted']
}

export class ModernCall implements Caller {
  readonly trace: RequestTrace | undefined
  readonly operation: Operation | undefined
  readonly rights: Rights | undefined
  readonly ticket: Ticket | undefined
  readonly record: CallRecord | undefined
  readonly isSubscription: boolean
  /** The request as the process has it, once it has. */
  sent: Call | undefined
  isDone = false
  private backend: ModernProcess | undefined
  private readonly reply: Reply
  private readonly idText: string
  private readonly owner: CallOwner
  private lease: Lease | undefined

  constructor(
    reply: Reply,
    request: Request,
    { trace, operation, ticket, record, granted }: CallTerms,
    owner: CallOwner,
  ) {
    this.reply = reply
    this.trace = trace
    this.operation = operation
    this.ticket = ticket
    this.record = record
    this.rights = granted?.rights
    this.idText = slice(request.text, request.id)
    this.isSubscription = request.method === SUBSCRIBE
    this.owner = owner
  }

  /**
   * It has to wait, for its process or for what that says of its tools: false where too many do, and it has been told, or
   * where nobody waits any more.
   */
  waits(request: Request): boolean {
    if (this.isDone) return false
    const { budget } = this.owner
    this.lease ??= budget.lease('calls')
    if (this.lease.bytes > 0 || keepPlace(this.lease, request)) return true
    this.fault(tooManyWait(budget.bytes))
    return false
  }

  /** It waits no longer: it goes to the server. */
  goesOn(): void {
    this.lease?.release()
  }

  /** The process that will serve it; nobody else's while it does, as far as log lines go. */
  choose(backend: ModernProcess): void {
    this.backend = backend
    this.reply.process = backend.channel.link.process
    backend.join(this)
    if (this.isDone) this.leave()
  }

  answer(text: string, { text: raw, error }: Response): void {
    const code = member(error?.object, 'code')
    const status = code && STATUS.get(Number(slice(raw, code)))
    if (!this.reply.hasRoomFor(text.length)) {
      this.fault(noRoom(text.length, this.owner.budget.bytes))
      return
    }
    this.done(undefined)
    this.reply.json(text, status ?? 200)
  }

  notice(text: string): boolean {
    if (this.reply.form === 'json') return false
    if (this.reply.event(text, this.owner.now())) return true
    // The process is shared with the principal's other requests: it is not held for a slow reader.
    this.reply.cut()
    this.gone()
    return false
  }

  fault(fault: Fault): void {
    this.done(fault.code)
    this.reply.fault(fault, this.idText)
  }

  /** Nobody waits any more. */
  gone(): void {
    const { backend, sent } = this
    this.done('request-cancelled')
    if (backend && sent) backend.channel.cancel(sent, 'disconnected')
  }

  /** A rule of the tool policy denies its caller everything: it is told so, and the server that nobody waits. */
  endedBy(rule: string): void {
    const { backend, sent } = this
    this.fault(blockedFault(rule))
    if (backend && sent) backend.channel.cancel(sent, 'disconnected')
  }

  /** The graceful end of a subscription (2026-07-28, subscriptions). */
  end(): void {
    const meta = `"_meta":{"${SUBSCRIPTION_KEY}":${this.idText}}`
    this.reply.json(
      `{"jsonrpc":"2.0","id":${this.idText},"result":{"resultType":"complete",${meta}}}`,
    )
    this.gone()
  }

  sweep(nowMs: number, keepAliveMs: number): void {
    this.reply.recount()
    if (nowMs >= this.reply.untilMs) {
      this.outlived()
      return
    }
    if (nowMs - this.reply.lastWriteMs >= keepAliveMs) this.reply.keepAlive(nowMs)
  }

  /** Its caller's right has ended. */
  private outlived(): void {
    if (this.isSubscription) this.end()
    else {
      this.reply.outlived()
      this.gone()
    }
  }

  private done(code: FaultCode | undefined): void {
    if (this.isDone) return
    this.isDone = true
    this.ticket?.end(code)
    this.lease?.release()
    this.owner.done(this)
    this.leave()
  }

  private leave(): void {
    const { backend } = this
    if (!backend) return
    backend.leave(this)
    if (backend.logReader === this) backend.logReader = undefined
  }
}
