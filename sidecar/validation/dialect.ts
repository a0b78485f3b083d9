// The dialects of JSON Schema that tools' schemas are written in, and how they differ in what is read of them. Pure.

export interface Dialect {
  /** For people. */
  readonly name: string
  readonly uri: RegExp
  /** Keywords that it does not know, which decide nothing there. */
  readonly without: ReadonlySet<string>
  /** By which a schema is named. */
  readonly id: '$id' | 'id'
  /** Beside a reference nothing counts, and an identifier may be the fragment alone. */
  readonly isOld: boolean
  /** `items` may hold one schema for each place. */
  readonly hasListOfItems: boolean
}

const NEWER = ['prefixItems', 'unevaluatedItems', 'unevaluatedProperties', 'dependentSchemas']
const SINCE_7 = [...NEWER, 'dependentRequired', 'minContains', 'maxContains']
const SINCE_6 = [...SINCE_7, 'if', 'then', 'else']
const SINCE_4 = [...SINCE_6, 'const', 'contains', 'propertyNames']

const draft = (number: 4 | 6 | 7, without: readonly string[]): Dialect => ({
  name: `draft ${number}`,
  uri: new RegExp(`^https?://json-schema\\.org/draft-0${number}/schema#?$`),
  without: new Set(without),
  id: number === 4 ? 'id' : '$id',
  isOld: true,
  hasListOfItems: true,
})

const released = (name: string, without: readonly string[]): Dialect => ({
  name,
  uri: new RegExp(`^https?://json-schema\\.org/draft/${name}/schema#?$`),
  without: new Set(without),
  id: '$id',
  isOld: false,
  hasListOfItems: without.includes('prefixItems'),
})

export const NEWEST = released('2020-12', ['additionalItems'])
export const LIST_OF_ITEMS = released('2019-09', ['prefixItems'])
export const DIALECTS = [
  NEWEST,
  LIST_OF_ITEMS,
  draft(7, SINCE_7),
  draft(6, SINCE_6),
  draft(4, SINCE_4),
] as const

/** Names of all, for people. */
export const DIALECT_NAMES = DIALECTS.map(({ name }) => name).join(', ')

/** The dialect that a schema names; undefined where it is none of these. */
export const dialectNamed = (uri: unknown): Dialect | undefined =>
  typeof uri === 'string' ? DIALECTS.find((one) => one.uri.test(uri)) : undefined
