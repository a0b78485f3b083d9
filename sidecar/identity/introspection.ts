// Asks an issuer about tokens that only it can read (RFC 7662). So many at once, others in their turn; who brings a token
// that is being asked about waits for the same answer, and a question that nobody waits for any more is not asked. Whoever
// floods us from one address leaves room to those of others. Nothing is remembered here.

import type { JsonObject } from '../../shared/json.ts'
import type { Log } from '../../shared/log.ts'
import { messageOf } from '../../shared/message.ts'
import { fail, type Result } from '../../shared/result.ts'
import { askEndpoint, type Endpoint } from './endpoint.ts'
import { Places } from './places.ts'
import type { BroughtToken } from './verifier.ts'
import {
  Crowd,
  Shares,
  Waiting,
  type Room,
  type Space,
  type Unserved,
  type WhenGone,
} from './waiting.ts'

/** Questions at once, of tokens that were good and of others each, and those that wait for their turn: with five seconds for each, nobody waits for a minute. */
const MAX_AT_ONCE = 16
const MAX_WAITING = 128
/** Of one answer: a session may keep what stands in it for as long as it lives. */
const MAX_BYTES = 32 * 1024
const RETRY_MS = 1000
const TELL_MS = 60_000

export type NoAnswer = { readonly kind: 'unavailable'; readonly retryMs: number } | Unserved

export interface IntrospectionOptions extends Endpoint {
  readonly issuer: string
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly log: Log
  /** Bounds who waits for an answer; those with tokens that were good are bounded by themselves. */
  readonly crowd: Space
  readonly crowdOfKnown: Room
}

export interface Question extends BroughtToken {
  /** It was good a while ago: whoever brings tokens that nobody knows keeps it from no answer. */
  readonly wasGood: boolean
}

/** One question, and who waits for its answer. */
interface Flight {
  readonly waiting: Waiting
  answer: Result<JsonObject, NoAnswer> | undefined
  /** Takes it back, until it is its turn: nobody waits for it any more. */
  takeBack: () => void
}

const nothing = (): void => undefined

export class Introspection {
  private readonly options: IntrospectionOptions
  private readonly flights = new Map<string, Flight>()
  private readonly queue = new Crowd(MAX_WAITING)
  private readonly places = new Places(MAX_AT_ONCE, this.queue)
  /** By address, of those who wait for an answer and of the questions that wait for their turn. */
  private readonly askers: Shares
  private readonly questions = new Shares(this.queue)
  private readonly placesOfKnown = new Places(MAX_AT_ONCE, new Crowd(MAX_WAITING))
  private toldMs = -Infinity

  constructor(options: IntrospectionOptions) {
    this.options = options
    this.askers = new Shares(options.crowd)
  }

  /** What the issuer says of a token. */
  async ask(question: Question, whenGone: WhenGone): Promise<Result<JsonObject, NoAnswer>> {
    const flight = this.flights.get(question.digest) ?? this.flightFor(question)
    const { wasGood, from } = question
    const waiting = flight.waiting.wait(whenGone, wasGood ? undefined : this.askers.of(from))
    // Who has found no room, or has gone, asks nothing.
    if (flight.waiting.size > 0) this.begin(question, flight)
    const waited = await waiting
    if (flight.waiting.size === 0) flight.takeBack()
    if (waited !== 'woken') return fail({ kind: waited })
    return flight.answer ?? this.unavailable()
  }

  private unavailable(): Result<never, NoAnswer> {
    return fail({ kind: 'unavailable', retryMs: RETRY_MS })
  }

  private flightFor({ wasGood }: Question): Flight {
    const { crowd, crowdOfKnown } = this.options
    const waiting = new Waiting(wasGood ? crowdOfKnown : crowd)
    return { waiting, answer: undefined, takeBack: nothing }
  }

  private begin(question: Question, flight: Flight): void {
    const { digest } = question
    if (this.flights.get(digest) === flight) return
    this.flights.set(digest, flight)
    void this.fly(question, flight).finally(() => {
      this.forget(digest, flight)
      flight.waiting.wakeAll()
    })
  }

  /** Another of the same token may be under way. */
  private forget(digest: string, flight: Flight): void {
    if (this.flights.get(digest) === flight) this.flights.delete(digest)
  }

  private async fly({ token, digest, wasGood, from }: Question, flight: Flight): Promise<void> {
    const places = wasGood ? this.placesOfKnown : this.places
    const whenDeserted: WhenGone = (leave) => {
      flight.takeBack = () => {
        this.forget(digest, flight)
        leave()
      }
    }
    const ask = (): Promise<Result<JsonObject, string>> => {
      flight.takeBack = nothing
      return this.fetch(token)
    }
    const asked = await places.take(
      whenDeserted,
      ask,
      wasGood ? undefined : this.questions.of(from),
    )
    if (!asked.ok) flight.answer = asked
    else flight.answer = asked.value.ok ? asked.value : this.unavailable()
  }

  private async fetch(token: string): Promise<Result<JsonObject, string>> {
    const found = await this.fetchOnce(token).catch((error: unknown) => fail(messageOf(error)))
    if (!found.ok) this.tell(found.error)
    return found
  }

  private fetchOnce(token: string): Promise<Result<JsonObject, string>> {
    const form = new URLSearchParams({ token, token_type_hint: 'access_token' }).toString()
    return askEndpoint(this.options, form, MAX_BYTES)
  }

  /** Whoever brings a token could make it be told, so it is told rarely. */
  private tell(why: string): void {
    const { issuer, now, log } = this.options
    if (now() - this.toldMs < TELL_MS) return
    this.toldMs = now()
    log.warn('an issuer was asked about a token and gave no answer', { issuer, why })
  }
}
