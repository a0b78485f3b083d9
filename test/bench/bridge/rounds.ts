// How often a cell is measured anew, in new processes: until what the rounds say agrees, within bounds. Pure.

import { medianError } from '../statistics.ts'

export type RoundPlan = {
  readonly least: number
  readonly most: number
  /** No round begins later than this, be the cells known or not. */
  readonly withinMs: number
}

/** So often, whatever they say. */
export const exactly = (rounds: number): RoundPlan => ({
  least: rounds,
  most: rounds,
  withinMs: Infinity,
})

/** As a run was told: once in a smoke run, as often as its user says, or else by this plan. */
export const planOf = (
  { quick, rounds }: { readonly quick: boolean; readonly rounds: number | undefined },
  otherwise: RoundPlan,
): RoundPlan => {
  if (quick) return exactly(1)
  return rounds === undefined ? otherwise : exactly(rounds)
}

/** What one round says of a cell: medians of its pairs' ratios. */
export type Round = { readonly calls: number; readonly cpu: number }

/** Of three runs with such an error hardly any two lie more than 0.03 apart. */
export const KNOWN_WITHIN = 0.009

/** The errors of both ratios; undefined of one round. */
export type RoundErrors = { readonly calls: number | undefined; readonly cpu: number | undefined }

export const errorsOf = (rounds: readonly Round[]): RoundErrors => ({
  calls: medianError(rounds.map(({ calls }) => calls)),
  cpu: medianError(rounds.map(({ cpu }) => cpu)),
})

/** Whether the next round has this cell. */
export const needsAnother = ({ least, most }: RoundPlan, rounds: readonly Round[]): boolean => {
  if (rounds.length < least) return true
  if (rounds.length >= most) return false
  const { calls = 0, cpu = 0 } = errorsOf(rounds)
  return calls > KNOWN_WITHIN || cpu > KNOWN_WITHIN
}
