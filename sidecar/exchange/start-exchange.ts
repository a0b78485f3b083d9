// Exchanges callers' tokens for those of their processes (RFC 8693): one exchange a caller at a time, so many together, nothing at
// all for whoever has brought no token that is good. What fails at a start refuses it; what fails later is tried again, and at the
// end of its time the token is taken away. A bundle of its own. Fails closed.

import type { EventOf } from '../../shared/audit/record.ts'
import type { Log } from '../../shared/log.ts'
import { messageOf } from '../../shared/message.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Principal } from '../access/principal.ts'
import { askEndpoint } from '../identity/endpoint.ts'
import { Places } from '../identity/places.ts'
import type { ExchangePlace } from '../identity/trust.ts'
import { Crowd } from '../identity/waiting.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import type { ProcessTokens } from '../server/process-tokens.ts'
import { CallerToken } from './caller-token.ts'
import { exchangeForm, issuedToken, type Issued } from './exchanged-token.ts'

const MAX_AT_ONCE = 16
const MAX_WAITING = 256
const MAX_ANSWER_BYTES = 64 * 1024

type ExchangeOutcome = EventOf<'token-exchange'>['outcome']

interface ExchangeParts {
  readonly place: ExchangePlace
  readonly now: () => number
  readonly log: Log
  /** Puts on record what became of one. */
  readonly record:
    | ((caller: Principal, told: Omit<EventOf<'token-exchange'>, 'event' | 'caller'>) => void)
    | undefined
}

interface Ward {
  readonly caller: Principal
  readonly token: CallerToken
  /** An exchange that is under way. */
  flight: Promise<Result<string, string>> | undefined
}

const refused = (why: string): Fault =>
  fault(
    'token-not-exchanged',
    `the server's processes have a token of their callers' for another service (outrigger.dev/token-exchange), and ${why}`,
    { headers: { 'retry-after': '5' } },
  )

export class Exchange implements ProcessTokens {
  /** By what became of them. */
  readonly outcomes = new Map<string, number>([
    ['exchanged', 0],
    ['failed', 0],
    ['expired', 0],
    ['unwritten', 0],
  ])
  private readonly parts: ExchangeParts
  private readonly wards = new Map<string, Ward>()
  private readonly byProcess = new Map<number, Ward>()
  private readonly places = new Places(MAX_AT_ONCE, new Crowd(MAX_WAITING))

  constructor(parts: ExchangeParts) {
    this.parts = parts
  }

  async begin(
    process: number,
    caller: Principal,
    give: (token: string) => void,
  ): Promise<Result<string, Fault>> {
    const { place, now } = this.parts
    if (caller.identity?.issuer !== place.issuer) {
      return fail(refused('this caller’s issuer exchanges none'))
    }
    const ward = this.wardOf(caller)
    this.byProcess.set(process, ward)
    ward.token.processes.set(process, give)
    const fresh = ward.token.fresh(now())
    if (fresh !== undefined) return ok(fresh)
    const found = await this.renew(ward)
    return found.ok
      ? found
      : fail(refused('its issuer has not exchanged this caller’s; see the sidecar’s log'))
  }

  failed(process: number, why: string): void {
    const { place, log } = this.parts
    this.count('unwritten')
    log.warn('a token could not be put where its process reads it', {
      process,
      issuer: place.issuer,
      why,
    })
  }

  gone(process: number): void {
    const ward = this.byProcess.get(process)
    if (!ward) return
    this.byProcess.delete(process)
    ward.token.processes.delete(process)
    // What nobody has a process of is not kept; there are as many callers as processes at most.
    if (ward.token.processes.size === 0) this.wards.delete(ward.caller.key)
  }

  /** Renews what is due, and takes away what is over. */
  sweep(nowMs: number): void {
    for (const ward of this.wards.values()) {
      if (ward.token.expire(nowMs)) this.tell(ward, 'expired')
      if (ward.flight === undefined && ward.token.isDue(nowMs) && this.subjectOf(ward)) {
        void this.renew(ward)
      }
    }
  }

  private wardOf(caller: Principal): Ward {
    const known = this.wards.get(caller.key)
    if (known !== undefined) return known
    const ward: Ward = { caller, token: new CallerToken(), flight: undefined }
    this.wards.set(caller.key, ward)
    return ward
  }

  private subjectOf({ caller }: Ward): string | undefined {
    const { place, now } = this.parts
    return place.subjects.of(caller, now())?.token
  }

  /** Whoever comes meanwhile waits for the same. */
  private renew(ward: Ward): Promise<Result<string, string>> {
    ward.flight ??= this.exchange(ward).finally(() => {
      ward.flight = undefined
    })
    return ward.flight
  }

  private async exchange(ward: Ward): Promise<Result<string, string>> {
    const { now, log, place } = this.parts
    const found = await this.ask(ward).catch((error: unknown) => fail(messageOf(error)))
    const nowMs = now()
    if (found.ok) {
      ward.token.take(found.value, nowMs)
      this.tell(ward, 'exchanged')
      return ok(found.value.token)
    }
    const retryMs = ward.token.fail(nowMs)
    log.warn('a caller’s token was not exchanged', {
      issuer: place.issuer,
      why: found.error,
      retryMs,
    })
    this.tell(ward, 'failed')
    return found
  }

  private async ask(ward: Ward): Promise<Result<Issued, string>> {
    const { place } = this.parts
    const turn = await this.places.take(
      () => undefined,
      async (): Promise<Result<Issued, string>> => {
        // The newest: it may have waited for its turn.
        const subject = this.subjectOf(ward)
        if (subject === undefined) return fail('it has brought no token that is still good')
        const form = exchangeForm(subject, place.asked)
        const answer = await askEndpoint(place, form, MAX_ANSWER_BYTES)
        return answer.ok ? issuedToken(answer.value, subject) : answer
      },
    )
    return turn.ok ? turn.value : fail('too many wait for theirs')
  }

  private count(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1)
  }

  private tell({ caller }: Ward, outcome: ExchangeOutcome): void {
    const { place, log, record } = this.parts
    const { issuer, asked } = place
    this.count(outcome)
    if (outcome === 'expired') {
      log.warn('a token was not renewed in time, and is taken from its processes', { issuer })
    }
    record?.(caller, {
      issuer,
      audiences: [...asked.audiences, ...asked.resources],
      scopes: [...asked.scopes],
      outcome,
    })
  }
}
