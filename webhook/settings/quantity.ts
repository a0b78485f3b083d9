// Kubernetes quantities as exact numbers (nano units, so that `1n` and `1Ei` both fit), compared,
// added and written again. Pure; text that is no quantity gives undefined.

import { at, type Json, type JsonObject } from '../../shared/json.ts'

export const RESOURCES = ['cpu', 'memory'] as const
export type Resource = (typeof RESOURCES)[number]

const SUFFIXES = new Map<string, bigint>([
  ['n', 1n],
  ['u', 1000n],
  ['m', 1_000_000n],
  ['', 1_000_000_000n],
  ...['k', 'M', 'G', 'T', 'P', 'E'].map((suffix, index): [string, bigint] => [
    suffix,
    10n ** BigInt(9 + 3 * (index + 1)),
  ]),
  ...['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'].map((suffix, index): [string, bigint] => [
    suffix,
    10n ** 9n * 1024n ** BigInt(index + 1),
  ]),
])
const WHOLE = 10n ** 9n
const MILLI = 10n ** 6n
const TEXT = /^(\d{1,18})(?:\.(\d{0,9}))?(?:[eE]([+]?\d{1,2})|([numkMGTPE]|[KMGTPE]i)?)$/

/** The value in nano units. */
export const parseQuantity = (text: string): bigint | undefined => {
  const match = TEXT.exec(text)
  if (!match) return undefined
  const [, whole = '0', fraction = '', exponent, suffix = ''] = match
  const unit = exponent === undefined ? SUFFIXES.get(suffix) : WHOLE * 10n ** BigInt(exponent)
  if (unit === undefined) return undefined
  return (BigInt(whole + fraction) * unit) / 10n ** BigInt(fraction.length)
}

/** The same of what stands in an object: a text, or a number where JSON has one. */
export const quantityOf = (value: Json | undefined): bigint | undefined =>
  typeof value === 'string' || typeof value === 'number' ? parseQuantity(String(value)) : undefined

/** A limit as the kubelet has it: nothing, and 0, are none. */
export const limitOf = (value: Json | undefined): bigint | undefined => {
  const limit = quantityOf(value)
  return limit === 0n ? undefined : limit
}

/** Whether nothing bounds what a container takes of a resource: no limit of its own, and none of its pod's as a whole. */
export const isUnlimited = (pod: JsonObject, container: JsonObject, name: Resource): boolean =>
  limitOf(at(container, 'resources', 'limits', name)) === undefined &&
  limitOf(at(pod, 'spec', 'resources', 'limits', name)) === undefined

/** Writes nano units the way a person would: `250m`, `2`, `320Mi`. */
export const formatQuantity = (nano: bigint, kind: Resource): string => {
  if (nano % WHOLE !== 0n) return `${(nano + MILLI - 1n) / MILLI}m`
  if (kind === 'cpu') return String(nano / WHOLE)
  const suffix = ['Gi', 'Mi', 'Ki'].find((name) => nano % (SUFFIXES.get(name) ?? 1n) === 0n)
  return `${nano / (SUFFIXES.get(suffix ?? '') ?? WHOLE)}${suffix ?? ''}`
}

/** Whether two texts are the same amount; texts that are no quantities only equal themselves. */
export const isSameQuantity = (a: string, b: string): boolean =>
  a === b || (parseQuantity(a) !== undefined && parseQuantity(a) === parseQuantity(b))
