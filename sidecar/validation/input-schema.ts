// A tool's own input schema as a check of arguments, compiled once. Its author is the server's, and may be anybody: of the
// schema only what decides is taken, within bounds; patterns are RE2's, whose time is that of the text; each schema that is
// applied counts, so that no nesting of alternatives takes long. What cannot be checked so is refused with its reason.
// Nobody else imports ajv. Formats are annotations, as JSON Schema 2020-12 has them.

import { RE2JS } from '@bufbuild/re2'
import { Ajv, type AnySchemaObject, type ErrorObject } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { isList, isObject, type Json, type JsonObject } from '../../shared/json.ts'
import { digestOf } from '../../shared/lock/digest.ts'
import { fail, ok, type Result } from '../../shared/result.ts'

/** What is wrong with arguments. */
export interface Mismatch {
  /** A JSON pointer into the arguments. */
  readonly path: string
  readonly why: string
}

/** The error is why nobody can tell. */
export type CheckArguments = (value: Json) => Result<Mismatch | undefined, string>

/** Compiling takes longer than their number grows: 500 take about a tenth of a second. */
const MAX_SCHEMAS = 500
const MAX_DEPTH = 32
const MAX_PATTERNS = 50
const MAX_PATTERN_LENGTH = 256
/** A pattern takes about 20 ms for so much. */
const MAX_MATCHED = 64 * 1024
/** They take about a tenth of a second; a schema that is applied is one, and more by what it goes through there. */
const MAX_STEPS = 100_000
const MAX_SAID = 200

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
/** Stands in each schema that is applied. */
const STEP = 'outrigger-step'

class Unusable extends Error {}

/** In steps: how much a value is compared with. */
const choicesIn = ({ enum: choices }: JsonObject): number =>
  Array.isArray(choices) ? choices.length >> 6 : 0

const pathOf = (ref: string): string => {
  if (!/^#(?:\/|$)/.test(ref)) throw new Unusable('it refers to a schema elsewhere')
  const parts = decodeURIComponent(ref).split('/').slice(1)
  return JSON.stringify(parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')))
}

/** What decides of a schema, counted. */
class Reader {
  private schemas = 0
  private patterns = 0
  private readonly places = new Set<string>()
  private readonly refs: string[] = []

  read(schema: Json): Json {
    const copy = this.copy(schema, [])
    for (const ref of this.refs) {
      if (!this.places.has(pathOf(ref))) throw new Unusable('it refers to what is no schema')
    }
    return copy
  }

  private copy(schema: Json | undefined, path: readonly string[]): Json {
    if (typeof schema === 'boolean') return schema
    if (!isObject(schema)) throw new Unusable('a schema in it is neither an object nor a boolean')
    this.schemas += 1
    if (this.schemas > MAX_SCHEMAS) throw new Unusable(`it holds more than ${MAX_SCHEMAS} schemas`)
    if (path.length > MAX_DEPTH * 2) throw new Unusable(`it is nested deeper than ${MAX_DEPTH}`)
    this.places.add(JSON.stringify(path))
    const wrong = REFUSED.find((name) => Object.hasOwn(schema, name))
    if (wrong !== undefined) throw new Unusable(`${wrong} is not supported`)
    const members = Object.entries(schema).flatMap(([name, value]): [string, Json][] => {
      const copied = this.member(name, value, path)
      return copied === undefined ? [] : [[name, copied]]
    })
    return Object.fromEntries([...members, [STEP, choicesIn(schema)]])
  }

  private member(name: string, value: Json, path: readonly string[]): Json | undefined {
    const at = [...path, name]
    if (ROW.has(name) && isList(value)) {
      return value.map((one, index) => this.copy(one, [...at, `${index}`]))
    }
    if (ONE.has(name)) return this.copy(value, at)
    if (NAMED.has(name)) return this.named(name, value, at)
    if (name === 'pattern') return this.pattern(value)
    if (name === '$ref') return this.ref(value)
    return PLAIN.has(name) ? value : undefined
  }

  private named(member: string, value: Json, path: readonly string[]): Json {
    if (!isObject(value)) throw new Unusable(`its ${member} is no object`)
    return Object.fromEntries(
      Object.entries(value).map(([name, one]) => {
        if (member === 'patternProperties') this.pattern(name)
        const isNames = member === 'dependencies' && isList(one)
        return [name, isNames ? one : this.copy(one, [...path, name])]
      }),
    )
  }

  private pattern(value: Json): Json {
    this.patterns += 1
    if (typeof value !== 'string' || value.length > MAX_PATTERN_LENGTH) {
      throw new Unusable(`a pattern in it is no text of at most ${MAX_PATTERN_LENGTH} characters`)
    }
    if (this.patterns > MAX_PATTERNS)
      throw new Unusable(`it has more than ${MAX_PATTERNS} patterns`)
    return value
  }

  private ref(value: Json): Json {
    if (typeof value !== 'string') throw new Unusable('a $ref in it is no text')
    this.refs.push(value)
    return value
  }
}

/** What one check may take. */
class Work {
  private steps = 0
  private characters = 0

  begin(): void {
    this.steps = 0
    this.characters = 0
  }

  step(steps = 1): boolean {
    this.steps += steps
    if (this.steps > MAX_STEPS) throw new Unusable('the arguments take too long to check')
    return true
  }

  match(text: string): void {
    this.characters += text.length
    if (this.characters > MAX_MATCHED) {
      throw new Unusable(`more than ${MAX_MATCHED} characters are matched with patterns`)
    }
  }
}

/** What every check has to itself while it runs: none waits. */
const WORK = new Work()

const compilePattern = (pattern: string) => {
  const compiled = RE2JS.compile(pattern)
  return {
    test: (text: string): boolean => {
      WORK.match(text)
      return compiled.test(text)
    },
    /** By which the library tells patterns apart. */
    toString: () => pattern,
  }
}

const OPTIONS = {
  strict: false,
  validateFormats: false,
  validateSchema: false,
  meta: false,
  logger: false,
  ownProperties: true,
  code: { regExp: Object.assign(compilePattern, { code: 'compilePattern' }) },
} as const

/** In steps: what a keyword looks at of a value itself, members and characters. */
const extentOf = (value: Json): number => {
  if (typeof value === 'string') return value.length >> 10
  if (Array.isArray(value)) return value.length >> 3
  return isObject(value) ? Object.keys(value).length >> 3 : 0
}

/** In values: every one in it, and what is long more. */
const wholeExtentOf = (value: Json): number => {
  const inner = Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []
  return inner.reduce<number>((sum, one) => sum + wholeExtentOf(one), 1 + extentOf(value))
}

const isUnique = (isWanted: boolean, items: readonly Json[]): boolean => {
  if (!isWanted) return true
  // Two small values take as long as a schema that is applied.
  WORK.step(wholeExtentOf([...items]) >> 1)
  return new Set(items.map(digestOf)).size === items.length
}

const prepared = <T extends Ajv>(ajv: T): T => {
  ajv.addKeyword({
    keyword: STEP,
    validate: (choices: number, value: Json) => WORK.step(1 + choices + extentOf(value)),
    errors: false,
  })
  // In the place of the library's own, whose time grows with the square of the items.
  ajv.removeKeyword('uniqueItems')
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    validate: isUnique,
    error: { message: 'must NOT have duplicate items' },
  })
  return ajv
}

const DIALECTS = [
  {
    uri: /^https?:\/\/json-schema\.org\/draft\/20(?:19-09|20-12)\/schema#?$/,
    ajv: prepared(new Ajv2020(OPTIONS)),
  },
  { uri: /^https?:\/\/json-schema\.org\/draft-0[67]\/schema#?$/, ajv: prepared(new Ajv(OPTIONS)) },
] as const

/** MCP takes a schema that names no dialect for one of 2020-12. */
const ajvFor = (schema: JsonObject): Ajv => {
  const named = schema['$schema']
  if (named === undefined) return DIALECTS[0].ajv
  const dialect = DIALECTS.find(({ uri }) => typeof named === 'string' && uri.test(named))
  if (dialect) return dialect.ajv
  throw new Unusable('it is of a dialect other than draft 6, draft 7, 2019-09 and 2020-12')
}

const shown = (value: unknown): string => JSON.stringify(value).slice(0, MAX_SAID)

const wordsOf = ({ message = 'is wrong', keyword, params }: ErrorObject): string => {
  if (keyword === 'additionalProperties' || keyword === 'unevaluatedProperties') {
    const name: unknown = params['additionalProperty'] ?? params['unevaluatedProperty']
    return `${message}: ${shown(name)}`
  }
  if (keyword === 'enum') return `${message}: ${shown(params['allowedValues'])}`
  return message.slice(0, MAX_SAID)
}

const attempt = <T>(make: () => T, what: string): Result<T, string> => {
  try {
    return ok(make())
  } catch (error) {
    return fail(error instanceof Unusable ? error.message : what)
  }
}

/** Compiles a schema; the error is why nobody can check by it. */
export const compileSchema = (schema: JsonObject): Result<CheckArguments, string> => {
  const compiled = attempt(() => {
    const ajv = ajvFor(schema)
    const copy: AnySchemaObject = Object(new Reader().read(schema))
    try {
      return ajv.compile(copy)
    } finally {
      ajv.removeSchema(copy)
    }
  }, 'it is no schema, or holds a pattern that RE2 does not know')
  if (!compiled.ok) return compiled
  const validate = compiled.value
  return ok((value) => {
    WORK.begin()
    return attempt(() => {
      if (validate(value)) return undefined
      const [first] = validate.errors ?? []
      validate.errors = null
      return {
        path: first?.instancePath.slice(0, MAX_SAID) ?? '',
        why: first ? wordsOf(first) : 'are wrong',
      }
    }, 'the arguments cannot be checked')
  })
}
