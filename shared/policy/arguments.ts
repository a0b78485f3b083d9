// The arguments of a call as conditions see them: from their JSON text, once, and only where a condition asks. Whole
// numbers are exact up to 64 bits, as servers in Python, Go and Java read them. Pure.

import { fail, ok, type Result } from '../result.ts'
import type { CelInput } from './cel.ts'

export interface Arguments {
  readonly value: ReadonlyMap<string, CelInput>
  /** Of all their members, however deep. */
  readonly names: ReadonlySet<string>
  /** How many values there are, members and items included. */
  readonly values: number
  readonly characters: number
}

/** Larger arguments are judged by no condition. */
const MAX_LENGTH = 4 * 1024 * 1024
const MAX_VALUES = 20_000
const MAX_DEPTH = 128

const MAX_INT64 = 2n ** 63n - 1n
const MIN_INT64 = -(2n ** 63n)

const TOO_MANY = `they are more than ${MAX_VALUES} values, ${MAX_DEPTH} in each other, or ${MAX_LENGTH} bytes`

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c

const isOpening = (code: number): boolean => code === 0x5b || code === 0x7b
const isClosing = (code: number): boolean => code === 0x5d || code === 0x7d

/** Behind the string that begins at an offset. */
const stringEnd = (json: string, start: number): number => {
  let at = start + 1
  while (at < json.length && json.charCodeAt(at) !== QUOTE) {
    at += json.charCodeAt(at) === BACKSLASH ? 2 : 1
  }
  return at
}

/** No fewer than there are values, counted before anything is made of them; undefined where they are too many, or too deep. */
const countValues = (json: string): number | undefined => {
  let [count, depth] = [1, 0]
  for (let at = 0; at < json.length; at += 1) {
    const code = json.charCodeAt(at)
    if (code === QUOTE) at = stringEnd(json, at)
    else if (isClosing(code)) depth -= 1
    else if (isOpening(code) || code === COMMA) count += 1
    if (isOpening(code)) depth += 1
    if (count > MAX_VALUES || depth > MAX_DEPTH) return undefined
  }
  return count
}

/** Digits that a double may not hold. */
const LONG_NUMBER = /\d{16}/
const WHOLE = /^-?\d+$/

/** Longer ones have more than 64 bits, and reading them takes longer than they grow. */
const MAX_DIGITS = 20

/** A whole number by its own text, where a double would be another one. */
const exact = (source: string): unknown => {
  if (source.length > MAX_DIGITS) return Number(source)
  const value = BigInt(source)
  return value > MAX_INT64 || value < MIN_INT64 ? Number(source) : value
}

const revive = (_key: string, value: unknown, context?: { readonly source?: string }): unknown => {
  const source = context?.source
  return typeof value === 'number' && source !== undefined && WHOLE.test(source)
    ? exact(source)
    : value
}

const numberOf = (value: number): CelInput => (Number.isSafeInteger(value) ? BigInt(value) : value)

const valueOf = (value: unknown, names: Set<string>): CelInput => {
  if (typeof value === 'number') return numberOf(value)
  if (Array.isArray(value)) return value.map((item) => valueOf(item, names))
  if (typeof value === 'object' && value !== null) return mapOf(value, names)
  return typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint'
    ? value
    : null
}

const mapOf = (object: object, names: Set<string>): ReadonlyMap<string, CelInput> =>
  new Map(
    Object.entries(object).map(([name, member]) => {
      names.add(name)
      return [name, valueOf(member, names)]
    }),
  )

const parsed = (json: string): unknown => {
  try {
    return LONG_NUMBER.test(json) ? JSON.parse(json, revive) : JSON.parse(json)
  } catch {
    return undefined
  }
}

const NONE: Arguments = { value: new Map(), names: new Set(), values: 0, characters: 0 }

/** The arguments in a JSON text, `{}` where there are none; the error says in words of ours why they cannot be judged. */
export const readArguments = (json: string | undefined): Result<Arguments, string> => {
  if (json === undefined) return ok(NONE)
  if (json.length > MAX_LENGTH) return fail(TOO_MANY)
  const values = countValues(json)
  if (values === undefined) return fail(TOO_MANY)
  const read = parsed(json)
  if (typeof read !== 'object' || read === null || Array.isArray(read)) {
    return fail('they are no object')
  }
  const names = new Set<string>()
  return ok({ value: mapOf(read, names), names, values, characters: json.length })
}
