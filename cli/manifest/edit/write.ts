// Writes JSON values of ours as YAML that every reader takes for the same: whatever YAML 1.1 or 1.2 could see another
// type in is quoted. Pure.

import { isList, isObject, type Json } from '../../../shared/json.ts'
import { isEmpty } from './empty.ts'

// A letter, a slash or a flag's dashes first, and none of these words: no number, date, merge or word of either version.
const PLAIN = /^(?:--?[A-Za-z]|[A-Za-z_/])[A-Za-z0-9_./-]*$/
const WORDS: ReadonlySet<string> = new Set(
  'y n yes no on off true false null nan inf infinity'.split(' '),
)
// What stands in single quotes as it is; what some reader takes for a line's end, or nobody sees, is escaped.
const VISIBLE =
  /^[ -~\u00a1-\u00ac\u00ae-\u1fff\u2010-\u2027\u2030-\u205e\u2070-\ud7ff\uf900-\ufdff\u{10000}-\u{10ffff}]*$/u

const escaped = (character: string): string => {
  const code = character.codePointAt(0) ?? 0
  const [letter, digits] = code > 0xffff ? ['U', 8] : ['u', 4]
  return `\\${letter}${code.toString(16).padStart(digits, '0')}`
}

const text = (value: string): string => {
  if (PLAIN.test(value) && !WORDS.has(value.toLowerCase())) return value
  return VISIBLE.test(value)
    ? `'${value.replaceAll("'", "''")}'`
    : JSON.stringify(value).replaceAll(/[^ -~]/gu, escaped)
}

/** Whether a value can be written without loss: a whole number beyond 2^53 may be another one's rounding. */
export const isExact = (value: Json): boolean => {
  if (typeof value === 'number') return !Number.isInteger(value) || Number.isSafeInteger(value)
  if (isList(value)) return value.every(isExact)
  return !isObject(value) || Object.values(value).every(isExact)
}

export interface FlowStyle {
  /** Keys and texts as JSON has them. */
  readonly isJson: boolean
  /** Behind a comma and a colon. */
  readonly space: '' | ' '
}

const scalar = (value: Json, { isJson }: FlowStyle): string =>
  typeof value === 'string' && !isJson ? text(value) : JSON.stringify(value)

/** On one line, in flow style. */
export const writeFlow = (value: Json, style: FlowStyle): string => {
  const comma = `,${style.space}`
  if (isList(value)) return `[${value.map((item) => writeFlow(item, style)).join(comma)}]`
  if (!isObject(value)) return scalar(value, style)
  const members = Object.entries(value).map(
    ([key, item]) => `${scalar(key, style)}:${style.space}${writeFlow(item, style)}`,
  )
  return `{${members.join(comma)}}`
}

export interface BlockStyle {
  /** How far a map stands behind the key that it belongs to. */
  readonly indent: number
  /** How far a list does; at 0 its dashes stand below the key. */
  readonly listIndent: number
}

type Lines = readonly string[]

const FLOW: FlowStyle = { isJson: false, space: ' ' }
const isInline = (value: Json): boolean => typeof value !== 'object' || isEmpty(value)
const shift = (lines: Lines, columns: number): Lines =>
  lines.map((line) => ' '.repeat(columns) + line)

const blockLines = (value: Json, style: BlockStyle): Lines => {
  if (isList(value)) return value.flatMap((item) => itemLines(item, style))
  return Object.entries(isObject(value) ? value : {}).flatMap(([key, item]) =>
    entryLines(text(key), item, style),
  )
}

/** A map's entry, its key as it is to stand there, as lines at column 0. */
export const entryLines = (key: string, value: Json, style: BlockStyle): Lines =>
  isInline(value)
    ? [`${key}: ${writeFlow(value, FLOW)}`]
    : [
        `${key}:`,
        ...shift(blockLines(value, style), isList(value) ? style.listIndent : style.indent),
      ]

/** A list's item as lines at column 0. */
export const itemLines = (value: Json, style: BlockStyle): Lines => {
  if (isInline(value)) return [`- ${writeFlow(value, FLOW)}`]
  const [first = '', ...more] = blockLines(value, style)
  return [`- ${first}`, ...shift(more, 2)]
}

/** A key of ours. */
export const writeKey = (key: string): string => text(key)

/** A whole document's map. */
export const documentLines = (value: Json, style: BlockStyle): Lines => blockLines(value, style)
