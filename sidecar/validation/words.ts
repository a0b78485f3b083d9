// What is wrong with arguments, said so that it can be read after the place: "the argument at /a must be a text". Of the
// arguments themselves nothing is said but names. Pure.

import { isObject } from '../../shared/json.ts'
import { nearest } from '../../shared/nearest.ts'

/** A rule of a schema that a value breaks. */
export interface Broken {
  readonly keyword: string
  /** A JSON pointer to the value. */
  readonly instancePath: string
  readonly params: Readonly<Record<string, unknown>>
  readonly propertyName?: string | undefined
  readonly data?: unknown
  /** The schema that the rule stands in. */
  readonly parentSchema?: unknown
}

export interface Mismatch {
  /** A JSON pointer into the arguments. */
  readonly path: string
  readonly why: string
}

const MAX_SAID = 200
/** How many names, and of which length, a misspelt one is compared with. */
const MAX_COMPARED = 50
const MAX_NAME = 64

const cut = (text: string): string =>
  text.length > MAX_SAID ? `${text.slice(0, MAX_SAID)}…` : text
const shown = (value: unknown): string => cut(JSON.stringify(value) ?? '')

const KINDS: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  integer: 'a whole number',
  null: 'null',
  number: 'a number',
  object: 'an object',
  string: 'a text',
}

const kindOf = (value: unknown): string => {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'number' && !Number.isInteger(value)) return 'a broken number'
  return KINDS[typeof value] ?? 'something else'
}

const typesIn = ({ params }: Broken): readonly string[] => {
  const { type } = params
  return Array.isArray(type) ? type.map(String) : [String(type)]
}

const either = (words: readonly string[]): string => [...new Set(words)].join(' or ')

const wrongType = (broken: Broken, types: readonly string[]): string =>
  `must be ${either(types.map((type) => KINDS[type] ?? type))}, and is ${kindOf(broken.data)}`

const hint = (name: unknown, { parentSchema }: Broken): string => {
  const members = isObject(parentSchema) ? parentSchema['properties'] : undefined
  const names = isObject(members)
    ? Object.keys(members)
        .filter((one) => one.length <= MAX_NAME)
        .slice(0, MAX_COMPARED)
    : []
  const match = typeof name === 'string' ? nearest(name, names) : undefined
  return match === undefined ? '' : `; did you mean ${shown(match)}?`
}

const tooMuch = (broken: Broken): string => {
  const name = broken.params['additionalProperty'] ?? broken.params['unevaluatedProperty']
  return `must not have ${shown(name)}${hint(name, broken)}`
}

const choices = ({ params, data }: Broken): string => {
  const { allowedValues } = params
  const values: readonly unknown[] = Array.isArray(allowedValues) ? allowedValues : []
  const texts = values.filter((one) => typeof one === 'string' && one.length <= MAX_NAME)
  const match =
    typeof data === 'string' ? nearest(data, texts.slice(0, MAX_COMPARED).map(String)) : undefined
  const all = cut(values.map((one) => JSON.stringify(one)).join(', '))
  return `must be one of ${all}${match === undefined ? '' : `; did you mean ${shown(match)}?`}`
}

const contained = ({ params: { minContains, maxContains } }: Broken): string => {
  const most = maxContains === undefined ? '' : ` and at most ${shown(maxContains)}`
  return `must hold at least ${shown(minContains)}${most} of the items that "contains" describes`
}

const limit =
  (before: string, after = '') =>
  ({ params }: Broken): string =>
    `must ${before} ${String(params['limit'])}${after}`

const WORDS: Readonly<Record<string, (broken: Broken) => string>> = {
  additionalProperties: tooMuch,
  unevaluatedProperties: tooMuch,
  additionalItems: limit('have at most', ' items'),
  unevaluatedItems: limit('have at most', ' items'),
  items: limit('have at most', ' items'),
  const: ({ params }) => `must be ${shown(params['allowedValue'])}`,
  contains: contained,
  dependencies: ({ params }) =>
    `must have ${shown(params['missingProperty'])} where it has ${shown(params['property'])}`,
  dependentRequired: ({ params }) =>
    `must have ${shown(params['missingProperty'])} where it has ${shown(params['property'])}`,
  enum: choices,
  exclusiveMaximum: limit('be less than'),
  exclusiveMinimum: limit('be more than'),
  'false schema': () => 'must not be there',
  maxItems: limit('have at most', ' items'),
  maxLength: limit('have at most', ' characters'),
  maxProperties: limit('have at most', ' members'),
  maximum: limit('be at most'),
  minItems: limit('have at least', ' items'),
  minLength: limit('have at least', ' characters'),
  minProperties: limit('have at least', ' members'),
  minimum: limit('be at least'),
  multipleOf: ({ params }) => `must be a multiple of ${String(params['multipleOf'])}`,
  not: () => 'must not be as "not" describes',
  pattern: ({ params }) => `must match the pattern ${shown(params['pattern'])}`,
  required: ({ params }) => `must have ${shown(params['missingProperty'])}`,
  type: (broken) => wrongType(broken, typesIn(broken)),
  uniqueItems: () => 'must not hold an item twice',
}

const plain = (broken: Broken): string => (WORDS[broken.keyword] ?? (() => 'is wrong'))(broken)

const oneOfSeveral = (whole: Broken, tried: readonly Broken[]): string => {
  const fits = whole.params['passingSchemas']
  if (Array.isArray(fits))
    return `must be as one of "oneOf" describes, and is as ${fits.length} of them do`
  const isType = tried.every(
    ({ keyword, instancePath }) => keyword === 'type' && instancePath === whole.instancePath,
  )
  if (isType && tried.length > 0) return wrongType(whole, tried.flatMap(typesIn))
  const [first] = tried
  const one = first
    ? `; by the first of them ${first.instancePath.slice(0, MAX_SAID) || 'it'} ${plain(first)}`
    : ''
  return `must be as one of "${whole.keyword}" describes${one}`
}

/** Of all rules that were tried in vain the last is the outermost. */
export const mismatchOf = (broken: readonly Broken[]): Mismatch => {
  const whole = broken.at(-1)
  if (!whole) return { path: '', why: 'are wrong' }
  const tried = broken.slice(0, -1)
  const path = whole.instancePath.slice(0, MAX_SAID)
  if (whole.keyword === 'if' && tried.length > 0) return mismatchOf(tried)
  if (whole.keyword === 'anyOf' || whole.keyword === 'oneOf') {
    return { path, why: oneOfSeveral(whole, tried) }
  }
  if (whole.keyword !== 'propertyNames') return { path, why: plain(whole) }
  const [first] = tried
  const why = `must not have ${shown(whole.params['propertyName'])}${first ? `, whose name ${plain(first)}` : ''}`
  return { path, why }
}
