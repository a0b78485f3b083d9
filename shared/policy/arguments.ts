// The arguments of a call as conditions see them: from their JSON text, once, and only where a condition asks. Whole
// numbers are exact up to 64 bits, as servers in Python, Go and Java read them. Pure.

import { fail, ok, type Result } from '../result.ts'
import type { CelInput } from './cel.ts'
import { flatIn, flatWithin, type Flat } from './flat.ts'

/** What can be told of arguments without a value of CEL's. */
export interface Members {
  /** Whether there is one by this name; undefined of what is null, which is the library's to tell. */
  has(name: string): boolean | undefined
  /** A member that is a text or a truth; anything else is nothing that is told here. */
  plain(name: string): string | boolean | undefined
}

export interface Arguments extends Members {
  readonly value: ReadonlyMap<string, CelInput>
  /** Of all their members, however deep, each once. */
  readonly names: ReadonlySet<string> | readonly string[]
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
/** How these begin. */
const [TRUE, FALSE, NULL] = [0x74, 0x66, 0x6e]

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

const valueOf = (value: unknown): CelInput => {
  if (typeof value === 'number') return numberOf(value)
  if (Array.isArray(value)) return value.map(valueOf)
  if (isHolder(value)) return mapOf(value)
  return typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint'
    ? value
    : null
}

const mapOf = (object: object): ReadonlyMap<string, CelInput> => {
  const map = new Map<string, CelInput>()
  for (const [name, member] of Object.entries(object)) map.set(name, valueOf(member))
  return map
}

const isHolder = (value: unknown): value is object => typeof value === 'object' && value !== null

/** Mostly no member has any of its own: then there is nothing to put together. */
const namesIn = (members: object): Arguments['names'] => {
  const names = Object.keys(members)
  const isFlat = !names.some((name) => isHolder(Reflect.get(members, name)))
  return isFlat ? names : addNames(members, new Set())
}

const addNames = (object: object, names: Set<string>): Set<string> => {
  const isList = Array.isArray(object)
  for (const name of Object.keys(object)) {
    if (!isList) names.add(name)
    const member: unknown = Reflect.get(object, name)
    if (isHolder(member)) addNames(member, names)
  }
  return names
}

/** Most conditions ask for few of them, and for no value of CEL's: these are made when somebody does. */
class Read implements Arguments {
  readonly values: number
  readonly characters: number
  private readonly members: object
  private madeValue: Arguments['value'] | undefined
  private madeNames: Arguments['names'] | undefined

  constructor(members: object, values: number, characters: number) {
    this.members = members
    this.values = values
    this.characters = characters
  }

  has(name: string): boolean | undefined {
    if (!Object.hasOwn(this.members, name)) return false
    return Reflect.get(this.members, name) === null ? undefined : true
  }

  plain(name: string): string | boolean | undefined {
    const found: unknown = Object.hasOwn(this.members, name)
      ? Reflect.get(this.members, name)
      : undefined
    return typeof found === 'string' || typeof found === 'boolean' ? found : undefined
  }

  get value(): Arguments['value'] {
    this.madeValue ??= mapOf(this.members)
    return this.madeValue
  }

  get names(): Arguments['names'] {
    this.madeNames ??= namesIn(this.members)
    return this.madeNames
  }
}

/** The same of short and flat ones, where no value was made of anything. */
class ReadFlat implements Arguments {
  readonly names: readonly string[]
  readonly values: number
  readonly characters: number
  private readonly text: string
  private readonly from: number
  private readonly flat: Flat
  private madeValue: Arguments['value'] | undefined

  /** `from`, `to`: where in the text they stand. */
  constructor(text: string, from: number, to: number, flat: Flat) {
    const { names } = flat
    this.text = text
    this.from = from
    this.flat = flat
    this.names = names
    this.values = 1 + Math.max(names.length, 1)
    this.characters = to - from
  }

  has(name: string): boolean | undefined {
    const place = this.placeOf(name)
    if (place === -1) return false
    return this.text.charCodeAt(this.flat.places[2 * place] ?? 0) === NULL ? undefined : true
  }

  plain(name: string): string | boolean | undefined {
    const place = this.placeOf(name)
    if (place === -1) return undefined
    const { text, flat } = this
    const start = flat.places[2 * place] ?? 0
    const code = text.charCodeAt(start)
    if (code === QUOTE) return text.slice(start + 1, (flat.places[2 * place + 1] ?? 0) - 1)
    if (code === TRUE) return true
    return code === FALSE ? false : undefined
  }

  get value(): Arguments['value'] {
    const { text, from, characters } = this
    this.madeValue ??= valueIn(text.slice(from, from + characters))
    return this.madeValue
  }

  /** By hand: there are few, and `lastIndexOf` takes longer to begin than that. */
  private placeOf(name: string): number {
    const { names } = this
    let place = names.length - 1
    while (place !== -1 && names[place] !== name) place--
    return place
  }
}

const parsed = (json: string): unknown => {
  try {
    return LONG_NUMBER.test(json) ? JSON.parse(json, revive) : JSON.parse(json)
  } catch {
    return undefined
  }
}

/** Of a text that is known to be an object. */
const valueIn = (json: string): Arguments['value'] => {
  const read = parsed(json)
  return mapOf(isHolder(read) ? read : {})
}

const NONE: Arguments = new Read({}, 0, 0)

/** The arguments in a JSON text, `{}` where there are none; the error says in words of ours why they cannot be judged. */
export const readArguments = (json: string | undefined): Result<Arguments, string> => {
  if (json === undefined) return ok(NONE)
  if (json.length > MAX_LENGTH) return fail(TOO_MANY)
  const flat = flatIn(json)
  if (flat) return ok(new ReadFlat(json, 0, json.length, flat))
  const values = countValues(json)
  if (values === undefined) return fail(TOO_MANY)
  const read = parsed(json)
  if (typeof read !== 'object' || read === null || Array.isArray(read)) {
    return fail('they are no object')
  }
  return ok(new Read(read, values, json.length))
}

/**
 * The same of arguments that stand in a text of bytes, as characters, that was found to be JSON; undefined where they have to
 * be taken out of it first.
 */
export const readArgumentsWithin = (
  text: string,
  from: number,
  to: number,
): Result<Arguments, string> | undefined => {
  const flat = flatWithin(text, from, to)
  return flat && ok(new ReadFlat(text, from, to, flat))
}
