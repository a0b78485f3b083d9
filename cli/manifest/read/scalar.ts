// What kubectl takes a YAML scalar for. It reads YAML 1.1 by go-yaml v2: `yes` is a boolean, `0400` octal, `1_000`
// a number, and what overflows a float is text; base 60 and timestamps are text too. Pure.

import { fail, ok, type Result } from '../../../shared/result.ts'

export type Scalar = null | boolean | number | string

const WORDS: ReadonlyMap<string, Scalar> = new Map<string, Scalar>([
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map(
    (word) => [word, true] as const,
  ),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map(
    (word) => [word, false] as const,
  ),
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, Number.NaN] as const),
  ...['', '+'].flatMap((sign) =>
    ['.inf', '.Inf', '.INF'].map((word) => [sign + word, Infinity] as const),
  ),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, -Infinity] as const),
])

// Go's strconv.ParseInt with base 0, and what go-yaml lets stand behind `0b` besides: a sign of its own.
const INTEGERS: readonly (readonly [prefix: string, pattern: RegExp])[] = [
  ['0x', /^([-+]?)0[xX]([0-9a-fA-F]+)$/],
  ['0b', /^([-+]?)0[bB]([01]+)$/],
  ['0b', /^0b([-+])([01]+)$/],
  ['0o', /^([-+]?)0[oO]?([0-7]+)$/],
  ['', /^([-+]?)(0|[1-9][0-9]*)$/],
]
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/
// Behind a leading dot Go reads the text as it stands: an underscore only between digits.
const DOT_FLOAT = /^\.[0-9](?:_?[0-9])*(?:[eE][-+]?[0-9](?:_?[0-9])*)?$/

const MAX_UINT64 = 2n ** 64n - 1n
const MIN_INT64 = -(2n ** 63n)
// Longer than any 64-bit number in any base, so that no long row of digits is computed with.
const MAX_DIGITS = 66

const signed = (sign: string, digits: string): bigint =>
  sign === '-' ? -BigInt(digits) : BigInt(digits)

const integer = (text: string): bigint | undefined => {
  const form = INTEGERS.find(([, pattern]) => pattern.test(text))
  if (!form) return undefined
  const [prefix, pattern] = form
  const [, sign = '', digits = ''] = pattern.exec(text) ?? []
  const significant = digits.replace(/^0+(?=.)/, '')
  if (significant.length > MAX_DIGITS) return undefined
  const value = signed(sign, prefix + significant)
  return value > MAX_UINT64 || value < MIN_INT64 ? undefined : value
}

const finite = (text: string): number | undefined => {
  const value = Number(text)
  return Number.isFinite(value) ? value : undefined
}

/** Whole numbers of 64 bits exactly; what is too large is a float, and what is too large for that is no number. */
const numeric = (text: string): bigint | number | undefined => {
  if (text.startsWith('.')) {
    return DOT_FLOAT.test(text) ? finite(text.replaceAll('_', '')) : undefined
  }
  if (!/^[-+0-9]/.test(text)) return undefined
  const plain = text.replaceAll('_', '')
  return integer(plain) ?? (FLOAT.test(plain) ? finite(plain) : undefined)
}

/** JSON has no negative zero that anybody tells apart. */
const plainNumber = (value: bigint | number): number => Number(value) + 0

/** A plain scalar without a tag. NaN and the infinities are for the caller to refuse. */
export const plainScalar = (text: string): Scalar => {
  const word = WORDS.get(text)
  if (word !== undefined) return word
  const value = numeric(text)
  return value === undefined ? text : plainNumber(value)
}

const FITS: Readonly<Record<string, (value: Scalar, text: string) => boolean>> = {
  bool: (value) => typeof value === 'boolean',
  null: (value) => value === null,
  int: (value, text) => typeof value === 'number' && typeof numeric(text) === 'bigint',
  float: (value) => typeof value === 'number',
  timestamp: (_value, text) => /^\d{4}-\d\d?-\d\d?$/.test(text),
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** A scalar with a tag: by a type that YAML names (`int` of `!!int`), else text as it stands. */
export const taggedScalar = (type: string | undefined, text: string): Result<Scalar, string> => {
  if (type === 'binary') {
    const bytes = text.replaceAll('\n', '')
    return BASE64.test(bytes)
      ? ok(Buffer.from(bytes, 'base64').toString())
      : fail('!!binary without base64')
  }
  const fits = type !== undefined && Object.hasOwn(FITS, type) ? FITS[type] : undefined
  if (!fits) return ok(text)
  const value = plainScalar(text)
  if (!fits(value, text)) return fail(`${JSON.stringify(text)} is no !!${type}`)
  return type === 'timestamp' ? ok(text) : ok(value)
}

/** A JSON number or word, or why kubectl can't hold it. */
export const jsonScalar = (text: string): Result<Scalar, string> => {
  if (text === 'null') return ok(null)
  if (text === 'true' || text === 'false') return ok(text === 'true')
  const value = finite(text)
  return value === undefined ? fail(`${text}: kubectl has no such number`) : ok(value + 0)
}

/** A float as Go prints it with 'g' and 32 bits, which is how kubectl makes a key of one. */
const float32Text = (value: number): string => {
  if (Object.is(value, -0)) return '-0'
  const narrow = Math.fround(value)
  if (!Number.isFinite(narrow)) return narrow > 0 ? '.inf' : '-.inf'
  const precision = [1, 2, 3, 4, 5, 6, 7, 8].find(
    (digits) => Math.fround(Number(narrow.toPrecision(digits))) === narrow,
  )
  const [mantissa = '0', exponent = '0'] = narrow.toExponential((precision ?? 9) - 1).split('e')
  const power = Number(exponent)
  if (power >= -4 && power < 6) return String(Number(`${mantissa}e${power}`))
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}

/** The name of a JSON member that kubectl makes of a key; undefined where it refuses to. */
export const keyText = (key: Scalar, text: string): string | undefined => {
  if (typeof key === 'string') return key
  if (typeof key === 'boolean') return String(key)
  if (key === null || Number.isNaN(key)) return key === null ? undefined : '.nan'
  const exact = numeric(text)
  if (typeof exact !== 'bigint') return float32Text(exact ?? key)
  return exact < 2n ** 63n ? String(exact) : undefined
}
