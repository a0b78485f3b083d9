// A client's request of a session, as the channel's caller: it may wait for its turn, and what comes back goes to its
// stream. Answered once, whoever comes first.

import type { Key } from '../../shared/annotations.ts'
import type { Call, Caller, Patience } from '../conversation/call.ts'
import type { Ticket } from '../conversation/ticket.ts'
import type { Checked } from '../conversation/vetting.ts'
import { fault, type Fault, type FaultCode } from '../mcp/faults.ts'
import type { Response } from '../mcp/message.ts'
import { idKey } from '../mcp/own-id.ts'
import type { Stream } from './stream.ts'
import type { Turn } from './turns.ts'

/** What a call is, once it is its turn; its patience holds for the turn, and anew for the answer. */
export interface Asking extends Patience {
  readonly idText: string
  /** What it takes while it waits, in bytes. */
  readonly cost: () => number
  readonly ticket: Ticket | undefined
  /** Why it is not sent after all; a promise where the server has to be asked first. */
  readonly check?: () => Checked
  readonly send: (caller: Caller) => Call | undefined
}

/** The session of a call. */
export interface CallOwner {
  readonly maxConcurrentCalls: number
  /** There is no room for an answer of so many bytes. */
  noRoom(bytes: number): Fault
  /** It has been answered. */
  done(call: SessionCall): void
}

export class SessionCall implements Caller, Turn {
  readonly stream: Stream
  readonly idText: string
  readonly deadlineMs: number
  /** As the server has it; undefined while it waits for its turn. */
  call: Call | undefined
  private readonly owner: CallOwner
  private readonly timeoutMs: number
  private readonly setting: Key
  private readonly ticket: Ticket | undefined
  /** Holds the request's text: gone once that is with the server. */
  private asking: Asking | undefined
  private knownKey: string | undefined
  private isAnswered = false

  constructor(owner: CallOwner, stream: Stream, asking: Asking, nowMs: number) {
    this.owner = owner
    this.stream = stream
    this.timeoutMs = asking.timeoutMs
    this.setting = asking.setting
    this.ticket = asking.ticket
    this.asking = asking
    this.idText = asking.idText
    this.deadlineMs = nowMs + asking.timeoutMs
  }

  begin(): void {
    const checked = this.asking?.check?.()
    if (checked instanceof Promise) void checked.then((refused) => this.send(refused))
    else this.send(checked)
  }

  /** It may have been answered while it was checked. */
  private send(refused: Fault | undefined): void {
    const { asking } = this
    this.asking = undefined
    if (this.isAnswered) return
    if (refused) this.fault(refused)
    else this.call = asking?.send(this)
  }

  /** Equal for every spelling of the same id; worked out only where a client cancels. */
  get key(): string {
    this.knownKey ??= idKey(this.idText)
    return this.knownKey
  }

  cost(): number {
    return this.asking?.cost() ?? 0
  }

  expire(): void {
    this.fault(
      fault(
        'request-timeout',
        `it was not its turn within ${this.timeoutMs} ms (outrigger.dev/${this.setting}): ${this.owner.maxConcurrentCalls} calls (outrigger.dev/max-concurrent-calls) are with the server`,
      ),
    )
  }

  answer(text: string, _response: Response): void {
    if (this.isOver(undefined)) return
    if (this.stream.hasRoomFor(text.length)) this.stream.result(text, this.idText)
    else this.stream.fault(this.owner.noRoom(text.length), this.idText)
    this.owner.done(this)
  }

  notice(text: string): boolean {
    return this.stream.event(text)
  }

  /** Answers it with a fault. */
  fault(fault: Fault): void {
    if (this.isOver(fault.code)) return
    this.stream.fault(fault, this.idText)
    this.owner.done(this)
  }

  /** Whether it was answered before: a session that ends answers for a server that may still do so. */
  private isOver(code: FaultCode | undefined): boolean {
    const wasAnswered = this.isAnswered
    this.isAnswered = true
    this.ticket?.end(code)
    return wasAnswered
  }
}
