// What decides of a tool's input schema, copied out of it within bounds: its author is the server's, and may be anybody. What
// no check of arguments can be made of is refused with the place. Pure.

import { isList, isObject, type Json, type JsonObject } from '../../shared/json.ts'
import type { Dialect } from './dialect.ts'
import { References, ROOT, type Base, type Path } from './references.ts'
import { Unusable } from './unusable.ts'

/** Compiling takes longer than their number grows: 500 take about a tenth of a second. */
const MAX_SCHEMAS = 500
const MAX_DEPTH = 32
const MAX_PATTERNS = 50
const MAX_PATTERN_LENGTH = 256

/** Members that hold one schema each, several by name, or several in a row. */
const ONE = new Set([
  'additionalItems',
  'additionalProperties',
  'contains',
  'else',
  'if',
  'items',
  'not',
  'propertyNames',
  'then',
  'unevaluatedItems',
  'unevaluatedProperties',
])
const NAMED = new Set([
  '$defs',
  'definitions',
  'dependencies',
  'dependentSchemas',
  'patternProperties',
  'properties',
])
const ROW = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems', 'items'])
/** The others that decide. */
const PLAIN = new Set([
  'const',
  'dependentRequired',
  'enum',
  'exclusiveMaximum',
  'exclusiveMinimum',
  'maxContains',
  'maxItems',
  'maxLength',
  'maxProperties',
  'maximum',
  'minContains',
  'minItems',
  'minLength',
  'minProperties',
  'minimum',
  'multipleOf',
  'required',
  'type',
  'uniqueItems',
])
/** They lead where nobody has looked. */
const REFUSED = ['$dynamicRef', '$recursiveRef']
/** Where schemas stand that decide nothing by themselves. */
const DEFINITIONS = new Set(['$defs', 'definitions'])
/** Stands in each schema that is applied. */
export const STEP = 'outrigger-step'

/** In steps: how much a value is compared with. */
const choicesIn = ({ enum: choices }: JsonObject): number =>
  Array.isArray(choices) ? choices.length >> 6 : 0

/** As draft 4 has it, and who means it so: `true` makes the bound beside it one that is not reached. */
const exclusive = (members: Map<string, Json>): void => {
  for (const [name, plain] of [
    ['exclusiveMinimum', 'minimum'],
    ['exclusiveMaximum', 'maximum'],
  ] as const) {
    const value = members.get(name)
    if (typeof value !== 'boolean') continue
    members.delete(name)
    const bound = members.get(plain)
    if (!value || bound === undefined) continue
    members.delete(plain)
    members.set(name, bound)
  }
}

interface Place {
  readonly path: Path
  readonly base: Base
}

interface Ref {
  readonly holder: Record<string, Json>
  readonly ref: string
  readonly at: Place
}

export interface ReaderOptions {
  readonly dialect: Dialect
  /** Whether patterns are written so that they can be matched. */
  readonly isPattern: (pattern: string) => boolean
}

export class SchemaReader {
  private readonly options: ReaderOptions
  private readonly references = new References()
  private readonly refs: Ref[] = []
  private schemas = 0
  private patterns = 0

  constructor(options: ReaderOptions) {
    this.options = options
  }

  read(schema: Json): Json {
    const copy = this.copy(schema, { path: [], base: ROOT })
    for (const { holder, ref, at } of this.refs) {
      holder['$ref'] = this.references.follow(ref, at.base, at.path)
    }
    return copy
  }

  private copy(schema: Json | undefined, { path, base: outer }: Place): Json {
    if (typeof schema === 'boolean') return schema
    if (!isObject(schema)) {
      throw new Unusable('a schema in it is neither an object nor a boolean', path)
    }
    this.schemas += 1
    if (this.schemas > MAX_SCHEMAS) throw new Unusable(`it holds more than ${MAX_SCHEMAS} schemas`)
    if (path.length > MAX_DEPTH * 2) throw new Unusable(`it is nested deeper than ${MAX_DEPTH}`)
    const wrong = REFUSED.find((name) => Object.hasOwn(schema, name))
    if (wrong !== undefined) throw new Unusable(`${wrong} is not supported`, path)
    this.references.place(path)
    const ref = this.refIn(schema, path)
    const isAlone = ref !== undefined && this.options.dialect.isOld
    const at = { path, base: isAlone ? outer : this.named(schema, { path, base: outer }) }
    const members = this.members(schema, at, isAlone)
    const copied: Record<string, Json> = Object.fromEntries([...members, [STEP, choicesIn(schema)]])
    if (ref !== undefined) this.refs.push({ holder: copied, ref, at })
    return copied
  }

  /** What names a schema for references; the base of what stands in it. */
  private named(schema: JsonObject, { path, base }: Place): Base {
    const { id: key, isOld } = this.options.dialect
    const { [key]: id, $anchor, $dynamicAnchor } = schema
    const isFragment = isOld && typeof id === 'string' && id.startsWith('#')
    const own =
      typeof id === 'string' && !isFragment ? this.references.identify(id, base, path) : base
    if (isFragment) this.references.anchor(id.slice(1), own, path)
    const anchors = isOld ? [] : new Set([$anchor, $dynamicAnchor])
    for (const one of anchors) {
      if (typeof one === 'string') this.references.anchor(one, own, path)
    }
    return own
  }

  private members(schema: JsonObject, at: Place, isAlone: boolean): ReadonlyMap<string, Json> {
    const members = new Map<string, Json>()
    for (const [name, value] of Object.entries(schema)) {
      if (isAlone && !DEFINITIONS.has(name)) continue
      const copied = this.member(name, value, at)
      if (copied !== undefined) members.set(name, copied)
    }
    exclusive(members)
    return members
  }

  private member(name: string, value: Json, { path, base }: Place): Json | undefined {
    if (this.options.dialect.without.has(name)) return undefined
    const at = { path: [...path, name], base }
    if (ROW.has(name) && isList(value)) return this.row(name, value, at)
    if (ONE.has(name)) return this.copy(value, at)
    if (NAMED.has(name)) return this.byName(name, value, at)
    if (name === 'pattern') return this.pattern(value, path)
    return PLAIN.has(name) ? value : undefined
  }

  private row(name: string, values: readonly Json[], { path, base }: Place): Json {
    if (name === 'items' && !this.options.dialect.hasListOfItems) {
      throw new Unusable('items holds a list, which 2020-12 names prefixItems', path.slice(0, -1))
    }
    return values.map((one, index) => this.copy(one, { path: [...path, `${index}`], base }))
  }

  private byName(member: string, value: Json, { path, base }: Place): Json {
    if (!isObject(value)) throw new Unusable(`its ${member} is no object`, path.slice(0, -1))
    return Object.fromEntries(
      Object.entries(value).map(([name, one]) => {
        if (member === 'patternProperties') this.pattern(name, path)
        const isNames = member === 'dependencies' && isList(one)
        return [name, isNames ? one : this.copy(one, { path: [...path, name], base })]
      }),
    )
  }

  private pattern(value: Json, path: Path): Json {
    this.patterns += 1
    if (typeof value !== 'string' || value.length > MAX_PATTERN_LENGTH) {
      throw new Unusable(
        `a pattern in it is no text of at most ${MAX_PATTERN_LENGTH} characters`,
        path,
      )
    }
    if (this.patterns > MAX_PATTERNS)
      throw new Unusable(`it has more than ${MAX_PATTERNS} patterns`)
    if (this.options.isPattern(value)) return value
    throw new Unusable(
      `the pattern ${JSON.stringify(value)} is none that RE2 knows: it looks neither ahead nor back`,
      path,
    )
  }

  private refIn({ $ref }: JsonObject, path: Path): string | undefined {
    if ($ref === undefined || typeof $ref === 'string') return $ref
    throw new Unusable('a $ref in it is no text', path)
  }
}
