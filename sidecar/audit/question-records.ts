// What servers ask their clients on record, each when it is over: sampling, elicitation, roots and whatever else is no
// ping. Where nothing may be lost nobody is asked what cannot be put on record; a server that asks without end fills no disk,
// and what nobody answers leaves room for others' records.

import { jsonOf } from '../../shared/audit/chain.ts'
import type { EventOf } from '../../shared/audit/record.ts'
import { personOf } from '../access/principal.ts'
import { member, stringAt, type Request, type Response } from '../mcp/message.ts'
import type { QuestionEnd, QuestionPlace, QuestionWatch } from '../legacy/questions.ts'
import { Allowance } from './allowance.ts'
import type { Content } from './content/content.ts'
import { reservedFor, type Descriptions } from './described.ts'
import { QuestionRoom } from './question-room.ts'
import { CODE, rounded } from './recorded-call.ts'
import type { Writer } from './writer.ts'

type Ended = Omit<EventOf<'server-request'>, 'event' | 'caller' | 'message'>
type Outcome = Ended['outcome']

export interface QuestionRecordsOptions {
  readonly writer: Pick<Writer, 'add' | 'reserve' | 'lose' | 'isFailing' | 'roomBytes'>
  readonly content: Pick<Content, 'asked'>
  readonly described: Pick<Descriptions, 'caller' | 'message'>
  readonly now: () => number
  readonly onFailure: 'refuse' | 'drop'
  /** One is only counted. */
  readonly onUnwritten: () => void
}

/** For what servers ask of one caller, or of nobody. */
const BYTES_PER_MINUTE = 4 * 1024 * 1024

const UNANSWERED = ['denied', 'no_client', 'timeout', 'cancelled'] as const
const ACTIONS = ['accept', 'decline', 'cancel'] as const

/** What a person, or their program, has decided about an elicitation. */
const actionIn = ({ text, result }: Response): Pick<Outcome, 'action'> => {
  const said = stringAt(text, member(result?.object, 'action'))
  const action = ACTIONS.find((one) => one === said)
  return action === undefined ? {} : { action }
}

const outcomeOf = (errorType: string | undefined, response: Response | undefined): Outcome => {
  if (!response) return { is: UNANSWERED.find((one) => one === errorType) ?? 'cancelled' }
  const bytes = response.text.length
  if (!response.error) return { is: 'answered', ...actionIn(response), bytes }
  const isCode = errorType !== undefined && CODE.test(errorType)
  return { is: 'error', ...(isCode ? { code: errorType } : {}), bytes }
}

const placeOf = ({
  session,
  process,
  context,
}: QuestionPlace): Omit<Ended, 'outcome' | 'durationMs'> => ({
  ...(session === undefined ? {} : { session }),
  ...(process === undefined ? {} : { process }),
  ...(context && { traceId: context.traceId, spanId: context.spanId }),
})

/** Of a question whose record is lost already. */
const LOST: QuestionEnd = { end: () => undefined }

export class QuestionRecords implements QuestionWatch {
  private readonly options: QuestionRecordsOptions
  private readonly allowance = new Allowance(BYTES_PER_MINUTE)
  private readonly room: QuestionRoom

  constructor(options: QuestionRecordsOptions) {
    this.options = options
    this.room = new QuestionRoom(options.writer.roomBytes)
  }

  asks(request: Request, place: QuestionPlace): QuestionEnd | undefined {
    const { content, described, now, onFailure, onUnwritten, writer } = this.options
    const { params } = content.asked(request)
    const said = params === undefined ? '' : `,"params":${jsonOf(params)}`
    const who = place.caller ? described.caller(place.caller) : ''
    const bytes = reservedFor(who) + 2 * said.length
    const key = place.caller ? personOf(place.caller) : ''
    const beganMs = now()
    if (onFailure === 'refuse' && writer.isFailing) return undefined
    if (this.allowance.waitMs(key, bytes, beganMs) > 0 || !this.room.take(key, bytes)) {
      onUnwritten()
      return undefined
    }
    if (!writer.reserve(bytes)) {
      this.room.giveBack(key, bytes)
      return this.withoutRecord()
    }
    this.allowance.take(key, bytes, beganMs)
    const asked = `"event":"server-request"${who}${described.message(request, said)}`
    return {
      end: (errorType, response) => {
        const outcome = outcomeOf(errorType, response)
        const ended: Ended = { ...placeOf(place), outcome, durationMs: rounded(now() - beganMs) }
        const written = writer.add(`${asked},${jsonOf(ended).slice(1, -1)}`, bytes)
        this.room.giveBack(key, bytes)
        this.allowance.take(key, written - bytes, now())
      },
    }
  }

  /** Where records may be lost, it is put all the same. */
  private withoutRecord(): QuestionEnd | undefined {
    const { onFailure, writer } = this.options
    if (onFailure === 'refuse') return undefined
    writer.lose()
    return LOST
  }
}
