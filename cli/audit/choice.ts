// Which records `audit tail` shows: by principal, tool, outcome and time. Pure.

import { nearest } from '../../shared/nearest.ts'
import { duration } from '../../shared/numbers.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { endOf, type SeenRecord } from './seen-record.ts'

/** Of calls, as records have them; of what was refused; all but `ok`; and of what a server reaches. */
export const OUTCOMES = [
  'ok',
  'tool_error',
  'error',
  'fault',
  'timeout',
  'cancelled',
  'denied',
  'failed',
  'allowed',
  'observed',
] as const
type Outcome = (typeof OUTCOMES)[number]

export interface Choice {
  readonly principals: readonly string[]
  readonly tools: readonly string[]
  readonly outcomes: readonly Outcome[]
  readonly sinceMs: number | undefined
}

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/

/** A time, or how long ago. */
export const readSince = (text: string, nowMs: number): Result<number, string> => {
  const agoMs = duration(text)
  if (agoMs !== undefined) return ok(nowMs - agoMs)
  const ms = ISO.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(ms)
    ? fail(
        `--since ${JSON.stringify(text)}: use how long ago, such as 90s, 10m or 24h, or a time such as 2026-01-31T12:00:00Z`,
      )
    : ok(ms)
}

export const readOutcomes = (texts: readonly string[]): Result<readonly Outcome[], string> => {
  const words = texts.flatMap((text) => text.split(','))
  const found = words.flatMap((word) => OUTCOMES.find((one) => one === word) ?? [])
  const wrong = words.find((word) => !OUTCOMES.some((one) => one === word))
  if (wrong === undefined) return ok(found)
  const match = nearest(wrong, OUTCOMES)
  const hint = match === undefined ? `there are ${OUTCOMES.join(', ')}` : `did you mean ${match}?`
  return fail(`--outcome: there is no outcome ${JSON.stringify(wrong)}; ${hint}`)
}

/** How it ended, as one word; undefined of what is no call. */
export const outcomeOf = (record: SeenRecord): string | undefined =>
  record.event === 'denial' ? 'denied' : (record.verdict ?? endOf(record)?.is)

/** What went as it should: a call, what a server asked its client, and what it reached. */
const WELL: readonly (string | undefined)[] = [undefined, 'ok', 'answered', 'allowed', 'observed']

const hasOutcome = (record: SeenRecord, outcomes: readonly Outcome[]): boolean => {
  const own = outcomeOf(record)
  return outcomes.some((one) => (one === 'failed' ? !WELL.includes(own) : one === own))
}

const NOBODY = 'nobody'

/** The caller, the program that calls for it, and who acts for it. */
const names = ({ caller }: SeenRecord): readonly (string | undefined)[] =>
  caller?.by === NOBODY
    ? [NOBODY]
    : [caller?.subject, caller?.client, ...(caller?.actors ?? []).map(({ subject }) => subject)]

export const isChosen = (
  record: SeenRecord,
  { principals, tools, outcomes, sinceMs }: Choice,
): boolean =>
  (sinceMs === undefined || Date.parse(record.time) >= sinceMs) &&
  (principals.length === 0 || names(record).some((name) => principals.includes(name ?? ''))) &&
  (tools.length === 0 || tools.includes(record.message?.tool ?? '')) &&
  (outcomes.length === 0 || hasOutcome(record, outcomes))
