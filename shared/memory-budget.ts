// How much a sidecar may hold for others, by its memory limit, and how long one message may be within that: a quarter of it,
// since what is large has a quarter together and one more is lent to one message at a time. Pure.

import type { Settings } from './settings.ts'

const MIB = 1024 * 1024
const SHARE = 4
/** Part of it lies in V8's heap, which the image bounds. */
const MOST_BYTES = 128 * MIB
/** As long as the defaults a message may be in every sidecar. */
const DEFAULTS = { 'max-request-size': 4 * MIB, 'max-response-size': 16 * MIB } as const
const KEYS = ['max-request-size', 'max-response-size'] as const

export type MessageSizes = Pick<Settings, (typeof KEYS)[number]>

export const budgetOf = (limitBytes: number): number =>
  Math.min(Math.floor(limitBytes / SHARE), MOST_BYTES)

/** A size as an annotation says it. */
export const sizeText = (bytes: number): string =>
  bytes % MIB === 0 ? `${bytes / MIB}Mi` : `${Math.floor(bytes / 1024)}Ki`

/** What is wrong with the sizes under a memory limit, and what would be right; one sentence each. */
export const sizeErrors = (settings: MessageSizes, limitBytes: number): readonly string[] => {
  const most = Math.floor(budgetOf(limitBytes) / SHARE)
  return KEYS.filter((key) => settings[key] > Math.max(DEFAULTS[key], most)).map(
    (key) =>
      `outrigger.dev/${key}: \`${sizeText(settings[key])}\` is more than a sidecar with ${sizeText(limitBytes)} of memory takes: at most ${sizeText(Math.max(DEFAULTS[key], most))} (a sixteenth of outrigger.dev/sidecar-memory-limit, never more than ${sizeText(MOST_BYTES / SHARE)})`,
  )
}
