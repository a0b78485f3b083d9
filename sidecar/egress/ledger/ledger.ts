// What servers reach, and try to: in records, in the records of the calls that were in flight, in the log, in figures. The proxy
// tells of what goes by it, the shim of what goes around it, the observer of what nobody else has told. However much a server
// tries, what is kept and written of it is bounded.

import type { EventOf } from '../../../shared/audit/record.ts'
import type { Log } from '../../../shared/log.ts'
import type { EgressRecords } from '../../audit/egress-records.ts'
import type { Account } from './account.ts'
import { Trial, whatIsUnderway, type Settled } from './attempt.ts'
import type { EgressCounts } from './figures.ts'

type Enforcement = EventOf<'egress'>['enforcement']
/** Of an attempt, whoever it was. */
export type ToldOf = Omit<EventOf<'egress'>, 'event' | 'caller'>

export interface LedgerOptions {
  /** Undefined where no records are kept. */
  readonly records: EgressRecords | undefined
  /** Hears of each, as its record tells it. */
  readonly onReached?: ((told: ToldOf) => void) | undefined
  /** Of which nobody can write much by trying. */
  readonly log: Log
  readonly now: () => number
  readonly counts: EgressCounts
  readonly enforcement: () => Enforcement
}

/** The proxy's part of an attempt. */
export interface Attempt {
  /** It is known what was asked for, and what becomes of it. */
  settled(outcome: Settled): void
  /** So much has passed, from the server and to it. */
  bytes(up: number, down: number): void
  /** It is over; why, where the proxy has ended it. */
  ended(cut?: string): void
}

/** Why somebody should know of an attempt, but of one that all is well with. */
const ENDS = {
  allowed: 'was let through',
  denied: 'was refused',
  failed: 'failed',
  observed: 'would be refused by egress-mode: enforce',
} as const satisfies Readonly<Record<Settled['verdict'], string>>

/** A kind of socket that cannot be made leads nowhere in particular. */
const placeWords = ({ host, address, port, how }: Settled): string => {
  const asked = host ?? address ?? (how === 'direct' ? undefined : 'somewhere')
  const place = asked === undefined ? '' : ` to ${asked}${port === undefined ? '' : `:${port}`}`
  return how === 'direct' ? `${place} past the proxy` : place
}

/** An attempt that goes on for so long is told before it is over. */
const LONG_MS = 30_000

export class Ledger {
  private readonly options: LedgerOptions
  private attempts = 0
  /** Those that are not over; the proxy bounds their number. */
  private readonly open = new Set<Trial>()

  constructor(options: LedgerOptions) {
    this.options = options
  }

  /** One begins; undefined where it could not be put on record, and must not be let out for want of that. */
  attempt(account: Account): Attempt | undefined {
    const { counts, now, records } = this.options
    if (records?.reserve() === false) return undefined
    const trial = new Trial(account, ++this.attempts, now())
    this.open.add(trial)
    let by = counts.by(undefined)
    return {
      settled: (settled) => {
        by = counts.by(settled.rule)
        this.settle(trial, settled)
      },
      bytes: (up, down) => trial.passed(up, down, by),
      ended: (cut) => {
        trial.cut = cut
        this.ended(trial)
      },
    }
  }

  /** Somebody has gone around the proxy, or has tried to. */
  direct(account: Account, settled: Omit<Settled, 'how'>, uid?: number): void {
    const { now, enforcement } = this.options
    const trial = new Trial(account, ++this.attempts, now())
    this.settle(trial, { ...settled, how: 'direct' })
    const told = trial.told(now(), enforcement())
    this.tell(trial, uid === undefined ? told : { ...told, uid }, false)
  }

  /** Somebody came to the proxy, and is nobody that it knows; `whoever`: with all that is in flight. */
  stranger(whoever: Account, why: string): void {
    const { now, enforcement } = this.options
    const trial = new Trial(whoever, ++this.attempts, now())
    this.settle(trial, { how: 'unknown', verdict: 'denied', why })
    this.tell(trial, trial.told(now(), enforcement()), false)
  }

  /** So many attempts came faster than they could be told. */
  missed(many: number): void {
    if (many > 0) this.options.records?.missed(many)
  }

  get openCount(): number {
    return this.open.size
  }

  /** Tells of what has gone on for long. */
  sweep(nowMs: number): void {
    const { enforcement } = this.options
    for (const trial of this.open) {
      // They stand there in the order in which they began.
      if (nowMs - trial.beganMs < LONG_MS) break
      if (trial.isTold) continue
      trial.isTold = true
      this.tell(trial, { ...trial.told(nowMs, enforcement()), open: true }, false)
    }
  }

  private tell(trial: Trial, told: ToldOf, isReserved: boolean): void {
    const { records, onReached } = this.options
    records?.tell(trial.worksFor, told, isReserved)
    onReached?.(told)
  }

  private settle(trial: Trial, settled: Settled): void {
    const { counts } = this.options
    const isFirst = trial.settled === undefined
    trial.settle(settled)
    if (isFirst) counts.tried(settled.verdict, settled.how)
    if (settled.verdict !== 'allowed' && trial.settled) this.log(trial, trial.settled)
  }

  private log({ account }: Trial, settled: Settled): void {
    const { log } = this.options
    const { verdict, why, words = why } = settled
    const because = words === undefined ? '' : `: ${words}`
    const { child, session } = account
    log[verdict === 'observed' ? 'info' : 'warn'](
      `${whatIsUnderway(account.calls())}: egress${placeWords(settled)} ${ENDS[verdict]}${because}`,
      { ...(child === 0 ? {} : { process: child }), session },
    )
  }

  private ended(trial: Trial): void {
    if (!this.open.delete(trial)) return
    const { now, enforcement } = this.options
    this.tell(trial, trial.told(now(), enforcement()), true)
  }
}
