// `Mcp-Param-*` headers: which of a tool's arguments are mirrored (`x-mcp-header` in its inputSchema) and whether
// they agree with the body (SEP-2243). Pure. A stdio server sees no headers, so that nobody else could check.

import { isObject } from '../../shared/json.ts'
import { decodeHeader, encodeHeader, type HeaderOf } from './header-value.ts'

export interface ParamHeader {
  /** Lower-case header name. */
  readonly name: string
  /** Where the value stands in `arguments`. */
  readonly path: readonly string[]
  readonly isNumeric: boolean
}

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/
const NUMBER = /^-?\d+(\.\d+)?$/
const MIRRORED = new Set(['string', 'integer', 'number', 'boolean'])
const MAX_DEPTH = 16

const record = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : undefined

/** The mirrored arguments of an inputSchema: those reachable through `properties` alone. */
export const paramHeaders = (
  schema: unknown,
  path: readonly string[] = [],
): readonly ParamHeader[] => {
  const properties = record(record(schema)?.['properties'])
  if (!properties || path.length >= MAX_DEPTH) return []
  return Object.entries(properties).flatMap(([key, property]) => {
    const here = path.concat(key)
    return ownHeader(property, here).concat(paramHeaders(property, here))
  })
}

const ownHeader = (value: unknown, path: readonly string[]): readonly ParamHeader[] => {
  const property = record(value)
  const name = property?.['x-mcp-header']
  const type = property?.['type']
  if (typeof name !== 'string' || !NAME.test(name)) return []
  if (typeof type !== 'string' || !MIRRORED.has(type)) return []
  const isNumeric = type === 'integer' || type === 'number'
  return [{ name: `mcp-param-${name.toLowerCase()}`, path, isNumeric }]
}

const isScalar = (value: unknown): boolean => ['string', 'boolean', 'number'].includes(typeof value)

const argumentAt = (root: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>(
    // Not copied: there may be hundreds of thousands beside it.
    (node, key) => (isObject(node) && Object.hasOwn(node, key) ? node[key] : undefined),
    root,
  )

/** The headers that mirror these arguments, for a server that wants them. */
export const mirroredHeaders = (
  declared: readonly ParamHeader[],
  args: unknown,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    declared.flatMap(({ name, path }) => {
      const value = argumentAt(args, path)
      return isScalar(value) ? [[name, encodeHeader(String(value))] as const] : []
    }),
  )

/** What is wrong with the headers of a tools/call with these arguments; undefined where they agree. */
export const paramMismatch = (
  declared: readonly ParamHeader[],
  args: unknown,
  headerOf: HeaderOf,
): string | undefined => {
  for (const { name, path, isNumeric } of declared) {
    const value = argumentAt(args, path)
    const header = headerOf(name)
    if (value === undefined || value === null) {
      if (header !== undefined)
        return `the ${name} header is there, the argument ${path.join('.')} is not`
      continue
    }
    if (header === undefined)
      return `the ${name} header is missing for the argument ${path.join('.')}`
    const decoded = decodeHeader(header)
    if (decoded === undefined)
      return `the ${name} header has characters or an encoding that are not allowed`
    if (!isSame(value, decoded, isNumeric)) {
      return `the ${name} header does not say what the argument ${path.join('.')} says`
    }
  }
  return undefined
}

/** Whether a number means the same to every reader: integers only in the safe range (SEP-2243). */
const isExact = (value: number): boolean =>
  Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value))

const isSame = (value: unknown, decoded: string, isNumeric: boolean): boolean => {
  if (typeof value === 'number') {
    if (!isExact(value)) return false
    if (isNumeric && NUMBER.test(decoded)) return Number(decoded) === value
  }
  return isScalar(value) && String(value) === decoded
}
