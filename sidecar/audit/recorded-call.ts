// One request on its way, as the record of it will say: the channel tells what the server did, the ticket when it is over,
// whoever of the client, the clock or the sidecar ended it.

import { jsonOf } from '../../shared/audit/chain.ts'
import type { EventOf } from '../../shared/audit/record.ts'
import type { CallRecord } from '../conversation/record.ts'
import type { AnsweredContent } from './content/content.ts'
import type { Ticket } from '../conversation/ticket.ts'
import type { Reply } from '../http/reply.ts'
import type { FaultCode } from '../mcp/faults.ts'
import type { Response } from '../mcp/message.ts'
import type { ReachedMeanwhile } from '../server/underway.ts'

type Outcome = EventOf<'call'>['outcome']

export interface RecordedCallOptions {
  /** Of this instance's calls. */
  readonly number: number
  /** Who calls, as a member of the record, behind a comma. */
  readonly caller: string
  /** What was asked, as members of the record, each behind a comma. */
  readonly asked: string
  /** Whether that names the session; a reply may know another, or a first. */
  readonly hasSession: boolean
  readonly reply: Pick<Reply, 'state' | 'session'>
  readonly arrivedMs: number
  readonly now: () => number
  /** What the record says of the answer, by level. */
  readonly contentOf: (response: Response) => AnsweredContent
  /** The ticket that its caller's limits gave, where there are any. */
  readonly ticket: Ticket | undefined
  /** It is over. */
  readonly onEnd: (members: string) => void
}

/** An error type that is a JSON-RPC error's code. */
export const CODE = /^-?\d+$/
const ENDS: ReadonlyMap<FaultCode, Outcome['is']> = new Map([
  ['request-timeout', 'timeout'],
  ['request-cancelled', 'cancelled'],
])

const is = (what: Outcome['is']): string => `"is":"${what}"`

const endOf = (errorType: string | undefined, fault: FaultCode | undefined): string => {
  if (fault !== undefined) return `${is(ENDS.get(fault) ?? 'fault')},"fault":"${fault}"`
  if (errorType === undefined) return is('ok')
  if (errorType === 'tool_error') return is('tool_error')
  return is('error') + (CODE.test(errorType) ? `,"code":"${errorType}"` : '')
}

const contentOf = ({ result, error }: AnsweredContent): string =>
  (result === undefined ? '' : `,"result":${jsonOf(result)}`) +
  (error === undefined ? '' : `,"error":${jsonOf(error)}`)

/** Microseconds are enough. */
export const rounded = (milliseconds: number): number => Math.round(milliseconds * 1000) / 1000

export class RecordedCall implements CallRecord, Ticket {
  readonly timeoutMs: number | undefined
  readonly number: number
  readonly caller: string
  reached: ReachedMeanwhile | undefined
  private readonly options: RecordedCallOptions
  private process: number | undefined
  private sentMs: number | undefined
  private answeredMs: number | undefined
  private errorType: string | undefined
  private bytes: number | undefined
  private content: AnsweredContent = {}
  private isOver = false

  constructor(options: RecordedCallOptions) {
    this.options = options
    this.timeoutMs = options.ticket?.timeoutMs
    this.number = options.number
    this.caller = options.caller
  }

  sent(process: number | undefined): void {
    this.process = process
    this.sentMs = this.options.now()
  }

  answered(errorType: string | undefined, response: Response | undefined): void {
    this.answeredMs ??= this.options.now()
    this.errorType = errorType
    this.bytes = response?.text.length
    if (response && !this.isOver) this.content = this.options.contentOf(response)
  }

  end(fault?: FaultCode): void {
    this.options.ticket?.end(fault)
    if (this.isOver) return
    this.isOver = true
    const { asked, arrivedMs, now, onEnd } = this.options
    const { process, sentMs, answeredMs, reached } = this
    const endMs = now()
    const by = process === undefined ? '' : `,"process":${process}`
    const server =
      sentMs === undefined ? '' : `,"serverMs":${rounded((answeredMs ?? endMs) - sentMs)}`
    onEnd(
      `"event":"call"${asked}${this.session()}${this.outcome(fault)}${by},"durationMs":${rounded(endMs - arrivedMs)}${server}${reached === undefined ? '' : reached.members()}`,
    )
  }

  private session(): string {
    const { hasSession, reply } = this.options
    return hasSession || reply.session === undefined ? '' : `,"session":${jsonOf(reply.session)}`
  }

  private outcome(fault: FaultCode | undefined): string {
    const { bytes, content } = this
    const length = bytes === undefined ? '' : `,"bytes":${bytes}`
    const gone = this.options.reply.state === 'done' ? ',"clientGone":true' : ''
    return `,"outcome":{${endOf(this.errorType, fault)}${length}${contentOf(content)}${gone}}`
  }
}
