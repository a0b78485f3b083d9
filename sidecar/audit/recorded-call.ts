// One request on its way, as the record of it will say: the channel tells what the server did, the ticket when it is over,
// whoever of the client, the clock or the sidecar ended it.

import { jsonOf } from '../../shared/audit/chain.ts'
import type { EventOf } from '../../shared/audit/record.ts'
import type { Principal } from '../access/principal.ts'
import type { CallRecord } from '../conversation/record.ts'
import type { AnsweredContent } from './content/content.ts'
import type { Ticket } from '../conversation/ticket.ts'
import type { Reply } from '../http/reply.ts'
import type { FaultCode } from '../mcp/faults.ts'
import type { Request, Response } from '../mcp/message.ts'
import type { ReachedMeanwhile } from '../server/underway.ts'

type Outcome = EventOf<'call'>['outcome']

/** A request that is on record, or will be. */
export interface Followed {
  /** Of this instance's calls. */
  readonly number: number
  /** Who calls, as a member of the record, behind a comma. */
  readonly caller: string
  readonly principal: Principal
  readonly message: Request
  /** What its record says of it when it is over: members, each behind a comma. */
  readonly after: string
  /** Room for the record that tells its end. */
  readonly reserved: number
}

/** Who keeps the records of all calls. */
export interface Keeper {
  readonly now: () => number
  /** What the record says of the answer, by level. */
  readonly contentOf: (request: Request, response: Response) => AnsweredContent
  /** It is over. */
  readonly ended: (call: Followed, members: string) => void
}

/** How it came, and what it has already. */
export interface Arrived {
  /** Whether its head names the session; a reply may know another, or a first. */
  readonly hasSession: boolean
  readonly reply: Pick<Reply, 'state' | 'session'>
  readonly arrivedMs: number
  /** The ticket that its caller's limits gave, where there are any. */
  readonly ticket: Ticket | undefined
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
  private readonly followed: Followed
  private readonly arrived: Arrived
  private readonly keeper: Keeper
  private process: number | undefined
  private sentMs: number | undefined
  private answeredMs: number | undefined
  private errorType: string | undefined
  private bytes: number | undefined
  private content: AnsweredContent = {}
  private isOver = false

  constructor(followed: Followed, arrived: Arrived, keeper: Keeper) {
    this.followed = followed
    this.arrived = arrived
    this.keeper = keeper
    this.timeoutMs = arrived.ticket?.timeoutMs
    this.number = followed.number
    this.caller = followed.caller
  }

  sent(process: number | undefined): void {
    this.process = process
    this.sentMs = this.keeper.now()
  }

  answered(errorType: string | undefined, response: Response | undefined): void {
    const { keeper, followed } = this
    this.answeredMs ??= keeper.now()
    this.errorType = errorType
    this.bytes = response?.text.length
    if (response && !this.isOver) this.content = keeper.contentOf(followed.message, response)
  }

  end(fault?: FaultCode): void {
    const { followed, keeper } = this
    const { ticket, arrivedMs } = this.arrived
    ticket?.end(fault)
    if (this.isOver) return
    this.isOver = true
    const { process, sentMs, answeredMs, reached } = this
    const endMs = keeper.now()
    const by = process === undefined ? '' : `,"process":${process}`
    const server =
      sentMs === undefined ? '' : `,"serverMs":${rounded((answeredMs ?? endMs) - sentMs)}`
    keeper.ended(
      followed,
      `"event":"call"${followed.after}${this.session()}${this.outcome(fault)}${by},"durationMs":${rounded(endMs - arrivedMs)}${server}${reached === undefined ? '' : reached.members()}`,
    )
  }

  private session(): string {
    const { hasSession, reply } = this.arrived
    return hasSession || reply.session === undefined ? '' : `,"session":${jsonOf(reply.session)}`
  }

  private outcome(fault: FaultCode | undefined): string {
    const { bytes, content } = this
    const length = bytes === undefined ? '' : `,"bytes":${bytes}`
    const gone = this.arrived.reply.state === 'done' ? ',"clientGone":true' : ''
    return `,"outcome":{${endOf(this.errorType, fault)}${length}${contentOf(content)}${gone}}`
  }
}
