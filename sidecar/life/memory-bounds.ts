// How much of its container's memory a sidecar may fill with what it holds for others: a quarter. As much again is
// garbage before it is collected, and the rest is what Node takes with nothing to do. Pure.

import { budgetOf } from '../../shared/memory-budget.ts'

/** Without a limit: that of the sidecars that the webhook injects. */
const ASSUMED_LIMIT_BYTES = 256 * 1024 * 1024

/** Beyond this share of its limit a process collects its garbage at once. */
const HIGH_SHARE = 0.6

export interface MemoryBounds {
  /** Of the process, known or assumed. */
  readonly limitBytes: number
  readonly budgetBytes: number
  readonly highBytes: number
}

/** `configured`: the limit that the configuration names; the container's own holds where it is lower. */
export const memoryBounds = (
  configured: number | undefined,
  ofContainer: number | undefined,
): MemoryBounds => {
  const limit = Math.min(configured ?? Infinity, ofContainer ?? Infinity)
  const known = Number.isFinite(limit) ? limit : ASSUMED_LIMIT_BYTES
  return {
    limitBytes: known,
    budgetBytes: budgetOf(known),
    highBytes: known * HIGH_SHARE,
  }
}
