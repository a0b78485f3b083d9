// Decides what goes on record, and whether a call may go on: not where its record could not be written, unless the
// configuration lets records be lost. Fails closed.

import { membersOf, partOf } from '../../shared/audit/chain.ts'
import type { AuditEvent, EventOf } from '../../shared/audit/record.ts'
import { withoutSecrets } from '../../shared/audit/secrets.ts'
import type { Permit } from '../access/permit.ts'
import type { Principal } from '../access/principal.ts'
import { messagesOf, type Ask, type Asked } from '../conversation/ask.ts'
import type { Exchange } from '../http/exchange.ts'
import { fault, FAULTS, type Fault } from '../mcp/faults.ts'
import type { Request } from '../mcp/message.ts'
import { Allowance } from './allowance.ts'
import type { Content } from './content/content.ts'
import {
  auditMessage,
  brief,
  callerOf,
  contextOf,
  decisionOf,
  RESERVED_BYTES,
} from './described.ts'
import { ProcessRecords } from './process-records.ts'
import { RecordedCall } from './recorded-call.ts'
import { remembered } from './remembered.ts'
import type { Writer } from './writer.ts'

export interface RecorderOptions {
  readonly writer: Writer
  /** What of the messages themselves goes on record. */
  readonly content: Content
  readonly now: () => number
  readonly onFailure: 'refuse' | 'drop'
  /** Whether a request is on record before the server sees it. */
  readonly attempts: boolean
  /** For denials of callers whom nobody knows. */
  readonly unknownBytesPerMinute: number
  /** For each verified caller; absent: as many as they like. */
  readonly callerBytesPerMinute?: number | undefined
}

/** A request on its way, as far as the stages have come with it. */
export interface Underway extends Exchange {
  readonly principal: Principal | undefined
  readonly permit: Permit | undefined
  readonly ask: Ask | undefined
}

/** A message, and what is said of it. */
interface Item {
  readonly asked: Asked
  readonly message: EventOf<'attempt'>['message']
  /** Room for the record that tells its end. */
  readonly reserved: number
}

interface Followed {
  readonly principal: Principal
  readonly message: Request
  readonly asked: Omit<EventOf<'attempt'>, 'event'>
  readonly reserved: number
}

const denialOf = ({ code, data }: Fault) => {
  const rule = data?.['rule']
  return {
    event: 'denial' as const,
    fault: code,
    status: FAULTS[code].status,
    ...(typeof rule === 'string' ? { rule } : {}),
  }
}

const NOBODY = ''
/** What is only counted is told so often. */
const SUMMARY_MS = 60_000

const unavailable = (): Fault =>
  fault(
    'audit-unavailable',
    "nothing is served that cannot be put on record, and audit records cannot be written now; see the sidecar's log",
    { headers: { 'retry-after': '5' } },
  )

const spent = (waitMs: number): Fault =>
  fault(
    'rate-limited',
    "this caller's audit records take more room than they may; try again later",
    {
      headers: { 'retry-after': `${Math.max(Math.ceil(waitMs / 1000), 1)}` },
      data: { limit: 'audit' },
    },
  )

export class Recorder {
  readonly processes: ProcessRecords
  private readonly options: RecorderOptions
  private readonly unknown: Allowance
  private readonly callers: Allowance | undefined
  private unwritten = new Map<string, number>()
  /** Denials that were only counted, since the start. */
  unwrittenCount = 0
  private toldDropped = 0
  private summaryMs: number
  private calls = 0
  private readonly clean = remembered(withoutSecrets)

  constructor(options: RecorderOptions) {
    this.options = options
    this.unknown = new Allowance(options.unknownBytesPerMinute)
    const { callerBytesPerMinute: own } = options
    this.callers = own === undefined ? undefined : new Allowance(own)
    this.processes = new ProcessRecords((event) => this.add(event))
    this.summaryMs = options.now()
  }

  /** Lets what is asked go on, on record; the fault is for all of it. */
  admit(underway: Underway): Fault | undefined | Promise<Fault | undefined> {
    const { permit, ask } = underway
    if (!permit) return undefined
    const items = messagesOf(ask).map((one) => this.itemOf(one))
    if (items.length === 0) return undefined
    const bytes = items.reduce((sum, { reserved }) => sum + reserved, 0)
    const refused = this.refusal(permit.principal.key, bytes)
    if (refused) return refused
    const attempts = items.map((item) => this.record(underway, permit, item))
    if (this.options.onFailure === 'drop') return undefined
    if (attempts.every((isOut) => isOut === true)) return undefined
    const outs = Promise.all(attempts.map((isOut) => Promise.resolve(isOut)))
    return outs.then((all) => (all.every(Boolean) ? undefined : unavailable()))
  }

  /** What ended before it was a call. */
  refused({ principal, ask, ...exchange }: Underway, reason: Fault): void {
    const [asked] = ask?.kind === 'message' ? [ask] : []
    this.deny(principal, {
      ...denialOf(reason),
      ...(principal && { caller: callerOf(principal) }),
      ...(asked && { message: this.itemOf(asked).message }),
      ...contextOf(exchange, asked?.message, { trace: asked?.trace, clean: this.clean }),
    })
  }

  sessionBegan(principal: Principal, session: string, process: number | undefined): void {
    const own = process === undefined ? {} : { process }
    this.add({ event: 'session-begin', caller: callerOf(principal), session, ...own })
  }

  sessionEnded(principal: Principal, session: string, reason: string): void {
    this.add({ event: 'session-end', caller: callerOf(principal), session, reason })
  }

  reloaded(what: EventOf<'reload'>['what'], outcome: 'taken' | 'refused'): void {
    this.add({ event: 'reload', what, outcome })
  }

  /** The server is not as it was locked. */
  found({ kind, name, why, action }: Omit<EventOf<'lock-finding'>, 'event'>): void {
    this.add({
      event: 'lock-finding',
      kind,
      name: brief(name, withoutSecrets),
      why: brief(why, withoutSecrets),
      action,
    })
  }

  sweep(nowMs: number): void {
    if (nowMs - this.summaryMs < SUMMARY_MS) return
    this.summaryMs = nowMs
    this.summarize()
  }

  /** Puts on record what was only counted. */
  summarize(): void {
    const dropped = this.options.writer.counts.dropped - this.toldDropped
    if (this.unwritten.size === 0 && dropped === 0) return
    const told = this.options.writer.counts.dropped
    if (!this.add({ event: 'summary', unwritten: Object.fromEntries(this.unwritten), dropped })) {
      return
    }
    this.toldDropped = told
    this.unwritten = new Map()
  }

  private add(event: AuditEvent): boolean {
    return this.options.writer.add(membersOf(event)) > 0
  }

  /** Room for what is asked, and for each record that will tell of it. */
  private refusal(caller: string, bytes: number): Fault | undefined {
    const { writer, onFailure, now } = this.options
    const waitMs = this.callers?.waitMs(caller, bytes, now()) ?? 0
    if (waitMs > 0) return spent(waitMs)
    if (onFailure === 'drop') return undefined
    return writer.isFailing || !writer.reserve(bytes) ? unavailable() : undefined
  }

  private itemOf(asked: Asked): Item {
    const { content } = this.options
    const message = auditMessage(asked.message, this.clean, content.asked(asked.message))
    const { params = '', result = '' } = message
    const isCall = asked.message.kind === 'request' && !asked.denied
    const answer = isCall ? content.answerBytes : 0
    return {
      asked,
      message,
      reserved: RESERVED_BYTES + 2 * (params.length + result.length) + answer,
    }
  }

  /** Puts one message on record, now or when it is over; whether what must be out before it goes on is out. */
  private record(underway: Underway, permit: Permit, item: Item): boolean | Promise<boolean> {
    const { asked: one, message: asked } = item
    const { principal } = permit
    const own = { caller: callerOf(principal), message: asked }
    const context = contextOf(underway, one.message, { trace: one.trace, clean: this.clean })
    const reserved = this.options.onFailure === 'refuse' ? item.reserved : 0
    const { message, denied } = one
    if (denied) this.spend(principal, { ...denialOf(denied), ...own, ...context }, reserved)
    else if (message.kind === 'request') {
      const call = { call: ++this.calls, ...own, ...decisionOf(permit), ...context }
      return this.follow(underway, one, { principal, message, asked: call, reserved })
    } else this.spend(principal, { event: 'notification', ...own, ...context }, reserved)
    return true
  }

  /** What is asked is on record now, where attempts are, and when it is over. */
  private follow(
    { reply, arrivedMs }: Underway,
    one: Asked,
    { principal, message, asked, reserved }: Followed,
  ): boolean | Promise<boolean> {
    const { writer, now, attempts, content } = this.options
    const { params, ...short } = asked.message
    const own = partOf(asked)
    // What stands in the attempt is not told twice.
    const isShort = attempts && params !== undefined
    const call = new RecordedCall({
      asked: isShort ? partOf({ ...asked, message: short }) : own,
      hasSession: asked.session !== undefined,
      reply,
      arrivedMs,
      now,
      contentOf: (response) => content.answered(message, response),
      ticket: one.ticket,
      onEnd: (members) => this.spendText(principal, members, reserved),
    })
    one.record = call
    one.ticket = call
    return attempts ? writer.addNow(`"event":"attempt",${own}`) : true
  }

  private spend(principal: Principal, event: AuditEvent, reserved: number): void {
    this.spendText(principal, membersOf(event), reserved)
  }

  private spendText({ key }: Principal, members: string, reserved: number): void {
    const { writer, now } = this.options
    const bytes = writer.add(members, reserved)
    this.callers?.take(key, bytes, now())
  }

  private deny(principal: Principal | undefined, event: EventOf<'denial'>): void {
    const { now } = this.options
    const [allowance, key] = principal?.identity
      ? [this.callers, principal.key]
      : [this.unknown, NOBODY]
    if (allowance && allowance.waitMs(key, 1, now()) > 0) {
      this.unwritten.set(event.fault, (this.unwritten.get(event.fault) ?? 0) + 1)
      this.unwrittenCount++
      return
    }
    const bytes = this.options.writer.add(membersOf(event))
    allowance?.take(key, bytes, now())
  }
}
