// One limit of every caller's: how often, and how many at once. What it says in a refusal names its setting.

import type { Rate } from '../../shared/limits.ts'
import { fault, type Fault, type FaultCode } from '../mcp/faults.ts'
import { FULL, take, waitMs, type Bucket } from './rate.ts'
import { Table } from './table.ts'

/** Callers that are known at once. */
export const MAX_CALLERS = 4096

/** What one caller has used of a limit. */
export interface Use {
  bucket: Bucket
  running: number
}

/** What a caller asks of a limit. */
export interface Wish {
  readonly count: number
  /** Of them, those that are over some time: what lives as long as its client likes takes no place. */
  readonly places: number
}

export interface LimitOptions<By extends string> {
  readonly rate?: Rate | undefined
  readonly concurrency?: number | undefined
  /** What is counted, in words: `requests`, `calls of search`. */
  readonly what: string
  /** The settings that say how often, and how many at once. */
  readonly settings: { readonly rate: By; readonly concurrency: By }
}

/** Why a caller must wait, and the setting that says so. */
export interface Refusal<By> {
  readonly by: By
  readonly fault: Fault
}

const EACH = 'each replica counts by itself'

const PERIOD_WORDS: ReadonlyMap<number, string> = new Map([
  [1000, 'a second'],
  [60_000, 'a minute'],
  [3_600_000, 'an hour'],
])

/** What callers have used, of as many as are known at once. */
export const useTable = (): Table<Use> =>
  new Table({
    most: MAX_CALLERS,
    create: () => ({ bucket: FULL, running: 0 }),
    isUsed: ({ running }) => running > 0,
  })

export class CallerLimit<By extends string> {
  private readonly options: LimitOptions<By>

  constructor(options: LimitOptions<By>) {
    this.options = options
  }

  /** Why a caller must wait; undefined where there is room. */
  refusal(use: Use, wish: Wish, nowMs: number): Refusal<By> | undefined {
    return this.tooMany(use, wish) ?? this.tooOften(use, wish, nowMs)
  }

  take(use: Use, { count, places }: Wish, nowMs: number): void {
    const { rate } = this.options
    if (rate) use.bucket = take(use.bucket, rate, count, nowMs)
    use.running += places
  }

  private tooMany({ running }: Use, { places }: Wish): Refusal<By> | undefined {
    const { concurrency, what, settings } = this.options
    if (concurrency === undefined || places === 0 || running + places <= concurrency) {
      return undefined
    }
    const by = settings.concurrency
    const said = `a caller's limit for ${what} is ${concurrency} at once (outrigger.dev/${by}; ${EACH}), and ${running} are under way`
    return {
      by,
      fault: later('too-many-requests', said, by, places > concurrency ? Infinity : 1000),
    }
  }

  private tooOften({ bucket }: Use, { count }: Wish, nowMs: number): Refusal<By> | undefined {
    const { rate, what, settings } = this.options
    const wait = rate ? waitMs(bucket, rate, count, nowMs) : 0
    if (rate === undefined || wait === 0) return undefined
    const by = settings.rate
    const period = PERIOD_WORDS.get(rate.periodMs) ?? `in ${rate.periodMs} ms`
    const said = `a caller's limit for ${what} is ${rate.amount} ${period} (outrigger.dev/${by}; ${EACH})`
    return { by, fault: later('rate-limited', said, by, wait) }
  }
}

/** A refusal for so long; for ever, where what came at once is more than there ever is. */
const later = (code: FaultCode, said: string, limit: string, waitMs: number): Fault => {
  if (waitMs === Infinity)
    return fault(code, `${said}: a batch of more never fits`, { data: { limit } })
  const seconds = Math.ceil(waitMs / 1000)
  return fault(code, `${said}; try again in ${seconds} s`, {
    headers: { 'retry-after': `${seconds}` },
    data: { limit },
  })
}
