// The most that times and sizes may be, whoever says them: what the floor says, else what no server needs more of. Pure.

import { KEYS, type Key } from '../../shared/annotations.ts'
import { lessFix, slowToolsFix } from './less.ts'

/** The bound of each where the floor says nothing. */
const USUAL = {
  'request-timeout': '1h',
  'client-timeout': '1h',
  'startup-timeout': '30m',
  'idle-timeout': '24h',
  // No sidecar takes more, whatever its memory.
  'max-request-size': '32Mi',
  'max-response-size': '32Mi',
} as const satisfies { readonly [K in Key]?: string }

export type BoundedKey = keyof typeof USUAL

const isBounded = (key: Key): key is BoundedKey => Object.hasOwn(USUAL, key)

/** What the floor may bound. */
export const BOUNDED: readonly BoundedKey[] = KEYS.filter(isBounded)

/** What the floor itself says. */
export type Most = { readonly [K in BoundedKey]?: string | undefined }

/** The most of a key; undefined for one that has none. */
export const mostOf = (key: Key, most: Most): string | undefined =>
  isBounded(key) ? (most[key] ?? USUAL[key]) : undefined

/** Which bound a text exceeds, and what would be right as the end of a sentence; undefined where it keeps within. */
export const excess = (
  key: Key,
  text: string,
  most: Most,
): { readonly bound: BoundedKey; readonly fix: string } | undefined => {
  // A tool's own wait stands in the place of everybody's.
  const bound = key === 'tool-limits' ? 'request-timeout' : key
  if (!isBounded(bound)) return undefined
  const limit = most[bound] ?? USUAL[bound]
  const fix =
    key === 'tool-limits' ? slowToolsFix(limit, undefined, text) : lessFix(bound, limit, text)
  return fix === undefined ? undefined : { bound, fix }
}
