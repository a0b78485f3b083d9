// What is wrong with a document that a schema refuses, in our own words: where, what would be right, and for a name
// that does not exist the nearest one that does. Pure.

import * as core from 'zod/v4/core'
import { nearest } from './nearest.ts'

export interface SchemaFault {
  readonly path: readonly string[]
  readonly message: string
}

/** A library's names of types, as a person would say them. */
const KINDS: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'a mapping',
  record: 'a mapping',
  string: 'a string (in YAML put it in quotes)',
}

type Type = core.$ZodType

/** What stands under a schema's wrappers. */
const bare = (schema: Type): Type => {
  const isWrapper =
    schema instanceof core.$ZodDefault ||
    schema instanceof core.$ZodPrefault ||
    schema instanceof core.$ZodOptional
  return isWrapper ? bare(schema._zod.def.innerType) : schema
}

const below = (schema: Type, part: string): Type | undefined => {
  const type = bare(schema)
  if (type instanceof core.$ZodObject) return type._zod.def.shape[part]
  if (type instanceof core.$ZodRecord) return type._zod.def.valueType
  return type instanceof core.$ZodArray ? type._zod.def.element : undefined
}

/** The members that there are at a place. */
const membersAt = (schema: Type, path: readonly string[]): readonly string[] => {
  let found: Type | undefined = schema
  for (const part of path) found = found && below(found, part)
  const type = found && bare(found)
  return type instanceof core.$ZodObject ? Object.keys(type._zod.def.shape) : []
}

const valueAt = (document: unknown, path: readonly string[]): unknown => {
  let found = document
  for (const part of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, part)) return undefined
    found = Object.entries(found).find(([name]) => name === part)?.[1]
  }
  return found
}

const MAX_SHOWN = 80
/** How many misspelt members of one mapping are compared with those that there are. */
const MAX_HINTS = 20

const unknownMember = (name: string, members: readonly string[], isCompared: boolean): string => {
  const match = isCompared ? nearest(name, members) : undefined
  const hint =
    match === undefined ? `; there are ${members.join(', ')}` : `; did you mean ${match}?`
  return `there is no such member${members.length === 0 ? '' : hint}`
}

const bound = (issue: core.$ZodIssueTooSmall | core.$ZodIssueTooBig): string => {
  const [side, limit] =
    issue.code === 'too_small' ? ['at least', issue.minimum] : ['at most', issue.maximum]
  if (issue.origin === 'string' && issue.code === 'too_small' && limit === 1)
    return 'must not be empty'
  if (issue.origin === 'string') return `must have ${side} ${limit} characters`
  return issue.origin === 'array' ? `must have ${side} ${limit} items` : `must be ${side} ${limit}`
}

const oneOf = (values: readonly unknown[], value: unknown): string => {
  const words = values.map(String)
  if (words.length === 1) return `must be ${words.join('')}`
  const match = typeof value === 'string' ? nearest(value, words) : undefined
  return `must be one of ${words.join(', ')}${match === undefined ? '' : `; did you mean ${match}?`}`
}

const FORMATS: Readonly<Record<string, string>> = {
  starts_with: 'must be a path that begins with /',
  url: 'must be a URL such as https://host.example/path',
}

const wrongType = (expected: string, value: unknown): string => {
  const kind = KINDS[expected] ?? expected
  return value === undefined || value === null
    ? `is missing: it must be ${kind}`
    : `must be ${kind}`
}

const words = (issue: core.$ZodIssue, value: unknown): string => {
  if (issue.code === 'invalid_type') return wrongType(issue.expected, value)
  if (issue.code === 'too_small' || issue.code === 'too_big') return bound(issue)
  if (issue.code === 'invalid_value') return oneOf(issue.values, value)
  // Of a pattern its schema says what it is for.
  if (issue.code === 'invalid_format') {
    return issue.format === 'regex'
      ? issue.message
      : (FORMATS[issue.format] ?? `must be ${issue.format}`)
  }
  if (issue.code === 'invalid_key') {
    return `its name ${issue.issues.map((inner) => words(inner, undefined)).join(', ')}`
  }
  return issue.code === 'custom' ? issue.message : 'must be of another form'
}

const unknownMembers = (
  keys: readonly string[],
  path: readonly string[],
  members: readonly string[],
): readonly SchemaFault[] =>
  keys.map((key, index) => ({
    path: [...path, key.slice(0, MAX_SHOWN)],
    message: unknownMember(key, members, index < MAX_HINTS),
  }))

/** Every fault of a document, from what the schema says is wrong with it. */
export const schemaFaults = (
  schema: Type,
  document: unknown,
  issues: readonly core.$ZodIssue[],
): readonly SchemaFault[] =>
  issues.flatMap((issue) => {
    const path = issue.path.map(String)
    return issue.code === 'unrecognized_keys'
      ? unknownMembers(issue.keys, path, membersAt(schema, path))
      : [{ path, message: words(issue, valueAt(document, path)) }]
  })

/** `floor.enforce: must be one of …` */
export const faultWords = ({ path, message }: SchemaFault): string =>
  `${path.join('.') || 'the document'}: ${message}`
