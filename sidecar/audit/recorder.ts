// Decides what goes on record, and whether a call may go on: not where its record could not be written, unless the
// configuration lets records be lost. Fails closed.

import { jsonOf, membersOf } from '../../shared/audit/chain.ts'
import type { AuditEvent, EventOf } from '../../shared/audit/record.ts'
import type { Permit } from '../access/permit.ts'
import { personOf, type Principal } from '../access/principal.ts'
import { messagesOf, type Ask, type Asked } from '../conversation/ask.ts'
import { header, type Exchange } from '../http/exchange.ts'
import { fault, FAULTS, type Fault } from '../mcp/faults.ts'
import { brief } from '../telemetry/brief.ts'
import { Allowance } from './allowance.ts'
import type { Content } from './content/content.ts'
import { callerOf, Descriptions, reservedFor } from './described.ts'
import { EgressRecords } from './egress-records.ts'
import { ProcessRecords } from './process-records.ts'
import { QuestionRecords } from './question-records.ts'
import { RecordedCall, type Followed, type Keeper } from './recorded-call.ts'
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

/** A message, and what it is asked with or answers, by level: members of its record. */
interface Item {
  readonly asked: Asked
  readonly caller: string
  readonly content: string
  /** Room for the record that tells its end. */
  readonly reserved: number
}

const denialOf = ({ code, data }: Fault): string => {
  const rule = data?.['rule']
  return membersOf({
    event: 'denial',
    fault: code,
    status: FAULTS[code].status,
    ...(typeof rule === 'string' ? { rule } : {}),
  })
}

const contentOf = ({ params, result }: ReturnType<Content['asked']>): string =>
  (params === undefined ? '' : `,"params":${jsonOf(params)}`) +
  (result === undefined ? '' : `,"result":${jsonOf(result)}`)

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
  readonly questions: QuestionRecords
  readonly egress: EgressRecords
  private readonly options: RecorderOptions
  private readonly unknown: Allowance
  private readonly callers: Allowance | undefined
  private unwritten = new Map<string, number>()
  /** Denials that were only counted, since the start. */
  unwrittenCount = 0
  private toldDropped = 0
  private summaryMs: number
  private calls = 0
  private readonly described = new Descriptions()
  private readonly keeper: Keeper
  /** Whether calls of one turn may go on; all of them have the same answer. */
  private turn:
    { readonly isOut: Promise<boolean>; readonly fault: Promise<Fault | undefined> } | undefined

  constructor(options: RecorderOptions) {
    this.options = options
    this.unknown = new Allowance(options.unknownBytesPerMinute)
    const { callerBytesPerMinute: own } = options
    this.callers = own === undefined ? undefined : new Allowance(own)
    this.keeper = {
      now: options.now,
      contentOf: (request, response) => options.content.answered(request, response),
      ended: ({ principal, reserved }, members) => this.spend(principal, members, reserved),
    }
    this.processes = new ProcessRecords((event) => this.add(event))
    const onUnwritten = (): void => this.count('server-request')
    this.questions = new QuestionRecords({ ...options, described: this.described, onUnwritten })
    this.egress = new EgressRecords({
      ...options,
      described: this.described,
      onUnwritten: (many) => this.count('egress', many),
    })
    this.summaryMs = options.now()
  }

  /** Lets what is asked go on, on record; the fault is for all of it. */
  admit(underway: Underway): Fault | undefined | Promise<Fault | undefined> {
    const { permit, ask } = underway
    if (!permit) return undefined
    if (ask?.kind === 'message') return this.admitOne(underway, permit, ask)
    const items = messagesOf(ask).map((one) => this.itemOf(one, permit.principal))
    if (items.length === 0) return undefined
    const bytes = items.reduce((sum, { reserved }) => sum + reserved, 0)
    const refused = this.refusal(personOf(permit.principal), bytes)
    if (refused) return refused
    const isOnRecord = items.map((item) => this.record(underway, permit, item)).every(Boolean)
    return this.admitted(
      isOnRecord,
      items.some(({ asked }) => asked.record !== undefined),
    )
  }

  /** Most messages come alone: nothing is made but their records. */
  private admitOne(
    underway: Underway,
    permit: Permit,
    asked: Asked,
  ): Fault | undefined | Promise<Fault | undefined> {
    const item = this.itemOf(asked, permit.principal)
    const refused = this.refusal(personOf(permit.principal), item.reserved)
    if (refused) return refused
    const isOnRecord = this.record(underway, permit, item)
    return this.admitted(isOnRecord, asked.record !== undefined)
  }

  /** What ended before it was a call. */
  refused({ principal, ask, ...exchange }: Underway, reason: Fault): void {
    const { described } = this
    const [asked] = ask?.kind === 'message' ? [ask] : []
    const caller = principal ? described.caller(principal) : ''
    const message = asked ? described.message(asked.message, this.said(asked)) : ''
    const context = described.context(exchange, asked?.message, asked?.trace)
    this.deny(principal, reason, caller + message + context)
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
      name: brief(name),
      why: brief(why),
      action,
    })
  }

  exchanged(caller: Principal, told: Omit<EventOf<'token-exchange'>, 'event' | 'caller'>): void {
    this.add({ event: 'token-exchange', caller: callerOf(caller), ...told })
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

  private said({ message }: Asked): string {
    return contentOf(this.options.content.asked(message))
  }

  private itemOf(asked: Asked, principal: Principal): Item {
    const said = this.said(asked)
    const isCall = asked.message.kind === 'request' && !asked.denied
    const answer = isCall ? this.options.content.answerBytes : 0
    const caller = this.described.caller(principal)
    const reserved = reservedFor(caller) + said.length + answer
    return { asked, caller, content: said, reserved }
  }

  /**
   * Whether calls may go on: those with an attempt when it is out. What has none goes behind them, as it came, whatever
   * becomes of them.
   */
  private admitted(
    isOnRecord: boolean,
    isCall: boolean,
  ): Fault | Promise<Fault | undefined> | undefined {
    if (this.options.onFailure === 'drop') return undefined
    if (!isOnRecord) return unavailable()
    const { isOut } = this.options.writer
    if (!isOut) return undefined
    if (!isCall || !this.options.attempts) return isOut.then(() => undefined)
    if (this.turn?.isOut !== isOut) {
      this.turn = { isOut, fault: isOut.then((out) => (out ? undefined : unavailable())) }
    }
    return this.turn.fault
  }

  /** Puts one message on record, now or when it is over; false where what must be out before it goes on has no room. */
  private record(underway: Underway, permit: Permit, item: Item): boolean {
    const { described } = this
    const { message, trace, denied } = item.asked
    const { principal } = permit
    const { caller } = item
    const context = described.context(underway, message, trace)
    const reserved = this.options.onFailure === 'refuse' ? item.reserved : 0
    const asked = described.message(message, item.content)
    if (denied || message.kind !== 'request') {
      const event = denied ? denialOf(denied) : '"event":"notification"'
      this.spend(principal, `${event}${caller}${asked}${context}`, reserved)
      return true
    }
    // What stands in the attempt is not told twice.
    const isShort = this.options.attempts && item.content !== ''
    const short = isShort ? described.message(message) : asked
    const number = ++this.calls
    const [head, tail] = [`,"call":${number}${caller}`, `${described.decision(permit)}${context}`]
    const before = `${head}${asked}${tail}`
    const after = isShort ? `${head}${short}${tail}` : before
    const followed = { number, caller, principal, message, after, reserved }
    return this.follow(underway, item.asked, followed, before)
  }

  /** What is asked is on record now, where attempts are, and when it is over. */
  private follow(
    { request, reply, arrivedMs }: Underway,
    one: Asked,
    followed: Followed,
    before: string,
  ): boolean {
    const { writer, attempts, onFailure } = this.options
    const hasSession = header(request, 'mcp-session-id') !== undefined
    const arrived = { hasSession, reply, arrivedMs, ticket: one.ticket }
    const call = new RecordedCall(followed, arrived, this.keeper)
    one.record = call
    one.ticket = call
    if (!attempts) return true
    const attempt = `"event":"attempt"${before}`
    // Where records may be lost nobody waits for them.
    return onFailure === 'drop' ? writer.add(attempt) > 0 : writer.addNow(attempt) !== undefined
  }

  private spend(principal: Principal, members: string, reserved: number): void {
    const { writer, now } = this.options
    const bytes = writer.add(members, reserved)
    this.callers?.take(personOf(principal), bytes, now())
  }

  /** They have no records of their own. */
  private count(what: string, many = 1): void {
    this.unwritten.set(what, (this.unwritten.get(what) ?? 0) + many)
    this.unwrittenCount += many
  }

  private deny(principal: Principal | undefined, reason: Fault, said: string): void {
    const { now } = this.options
    const [allowance, key] = principal?.identity
      ? [this.callers, personOf(principal)]
      : [this.unknown, NOBODY]
    if (allowance && allowance.waitMs(key, 1, now()) > 0) {
      this.count(reason.code)
      return
    }
    const bytes = this.options.writer.add(`${denialOf(reason)}${said}`)
    allowance?.take(key, bytes, now())
  }
}
