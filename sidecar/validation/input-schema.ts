// A tool's own input schema as a check of arguments, compiled once. Its author is the server's, and may be anybody: of the
// schema only what decides is taken, within bounds; patterns are RE2's, whose time is that of the text; each schema that is
// applied counts, so that no nesting of alternatives takes long. What cannot be checked so is refused with its reason.
// Nobody else imports ajv. Formats are annotations, as JSON Schema 2020-12 has them.

import { RE2JS } from '@bufbuild/re2'
import { Ajv, type AnySchemaObject } from 'ajv'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { isList, isObject, type Json, type JsonObject } from '../../shared/json.ts'
import { digestOf } from '../../shared/lock/digest.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { DIALECT_NAMES, dialectNamed, LIST_OF_ITEMS, NEWEST, type Dialect } from './dialect.ts'
import { isAmbiguous, isCompared } from './rough-number.ts'
import { SchemaReader, STEP } from './schema-reader.ts'
import { Unusable } from './unusable.ts'
import { mismatchOf, type Mismatch } from './words.ts'

export type { Mismatch }

/** The error is why nobody can tell. */
export type CheckArguments = (value: Json) => Result<Mismatch | undefined, string>

/** A pattern takes about 20 ms for so much. */
const MAX_MATCHED = 64 * 1024
/** They take about a tenth of a second; a schema that is applied is one, and more by what it goes through there. */
const MAX_STEPS = 100_000
const TOO_LARGE = 'a number in them is beyond 2^53, and cannot be compared to the last digit'

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

const isPattern = (pattern: string): boolean => {
  try {
    RE2JS.compile(pattern)
    return true
  } catch {
    return false
  }
}

const OPTIONS = {
  strict: false,
  validateFormats: false,
  validateSchema: false,
  meta: false,
  logger: false,
  ownProperties: true,
  verbose: true,
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

const stepped = (choices: number, value: Json, schema: unknown): boolean => {
  WORK.step(1 + choices + extentOf(value))
  if (!isObject(schema)) return true
  if (isCompared(value, schema)) WORK.step(wholeExtentOf(value) >> 6)
  if (isAmbiguous(value, schema)) {
    throw new Unusable(TOO_LARGE)
  }
  return true
}

const prepared = <T extends Ajv>(ajv: T): T => {
  ajv.addKeyword({ keyword: STEP, validate: stepped, errors: false })
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

const OLD = prepared(new Ajv(OPTIONS))
const BY_DIALECT: ReadonlyMap<Dialect, Ajv> = new Map<Dialect, Ajv>([
  [NEWEST, prepared(new Ajv2020(OPTIONS))],
  [LIST_OF_ITEMS, prepared(new Ajv2019(OPTIONS))],
])

/** They hold values, not schemas. */
const VALUES = new Set(['const', 'default', 'enum', 'examples'])

/** Whether it is so of a schema in it; as deep as a schema may be. */
const hasOne = (
  schema: Json | undefined,
  isSo: (schema: JsonObject) => boolean,
  depth = 0,
): boolean => {
  if (isList(schema)) return schema.some((one) => hasOne(one, isSo, depth + 1))
  if (!isObject(schema) || depth > 100) return false
  return (
    isSo(schema) ||
    Object.entries(schema).some(([name, one]) => !VALUES.has(name) && hasOne(one, isSo, depth + 1))
  )
}

/** MCP takes a schema that names no dialect for one of 2020-12; a form that only those before have is read as they do. */
const dialectOf = (schema: JsonObject): Dialect => {
  const { $schema } = schema
  if ($schema !== undefined) {
    const dialect = dialectNamed($schema)
    if (dialect) return dialect
    throw new Unusable(`it is of a dialect other than ${DIALECT_NAMES}`)
  }
  if (!hasOne(schema, ({ items }) => isList(items))) return NEWEST
  if (!hasOne(schema, ({ prefixItems }) => isList(prefixItems))) return LIST_OF_ITEMS
  throw new Unusable('it has prefixItems and a list in items, of two dialects, and no $schema')
}

const isEndless = (value: unknown): boolean => typeof value === 'number' && !Number.isFinite(value)

const attempt = <T>(make: () => T, what: () => string): Result<T, string> => {
  try {
    return ok(make())
  } catch (error) {
    return fail(error instanceof Unusable ? error.message : what())
  }
}

/** Compiles a schema; the error is why nobody can check by it. */
export const compileSchema = (schema: JsonObject): Result<CheckArguments, string> => {
  let dialect = NEWEST
  const compiled = attempt(
    () => {
      dialect = dialectOf(schema)
      const ajv = BY_DIALECT.get(dialect) ?? OLD
      const copy: AnySchemaObject = Object(new SchemaReader({ dialect, isPattern }).read(schema))
      try {
        return ajv.compile(copy)
      } finally {
        ajv.removeSchema(copy)
      }
    },
    () => `it is no schema of ${dialect.name}: a keyword in it has a value of another kind`,
  )
  if (!compiled.ok) return compiled
  const validate = compiled.value
  return ok((value) => {
    WORK.begin()
    return attempt(
      () => {
        if (validate(value)) return undefined
        const broken = validate.errors ?? []
        validate.errors = null
        if (broken.some(({ data }) => isEndless(data))) {
          throw new Unusable(TOO_LARGE)
        }
        return mismatchOf(broken)
      },
      () => 'the arguments cannot be checked',
    )
  })
}
