// CEL, by the library that carries the specification's tests: what there is of it in conditions. Nobody else imports it.

import {
  CelScalar,
  celEnv,
  celFunc,
  celMethod,
  celUint,
  isCelError,
  parse,
  plan,
} from '@bufbuild/cel'
import { strings } from '@bufbuild/cel/ext'
import { RE2JS } from '@bufbuild/re2'
import { codeOf } from '../error-code.ts'
import { isObject, numberAt } from '../json.ts'
import { fail, ok, type Result } from '../result.ts'
import { holdsText } from './search.ts'

export type Parsed = ReturnType<typeof parse>
export type Expression = Parsed['expr']

/** A value as CEL has it: whole numbers are bigints, other numbers doubles, objects maps. */
export type CelInput =
  null | boolean | bigint | number | string | readonly CelInput[] | ReadonlyMap<string, CelInput>

export interface SyntaxFault {
  readonly offset: number
  readonly message: string
}

/** Of what `strings` adds, this alone: it makes no text longer. */
const ADDED = new Set(['lowerAscii', 'upperAscii', 'trim'])
/** A pattern takes about 20 ms for so much. */
const MAX_MATCHED_LENGTH = 64 * 1024

/** They take long to compile. */
const MAX_PATTERNS = 100

/** No number has more digits; reading them takes longer than their number grows. */
const MAX_DIGITS = 64

const { BOOL, INT, STRING, UINT } = CelScalar

const wholeNumber = (text: string, fit: (value: bigint) => bigint): bigint => {
  if (text.length > MAX_DIGITS) throw new Error('the text is too long for a number')
  const value = BigInt(text)
  if (fit(value) !== value) throw new Error('the number has more than 64 bits')
  return value
}

/** In the place of the library's own, whose time grows faster than the text that callers choose. */
const BOUNDED = [
  celMethod('contains', STRING, [STRING], BOOL, function (part) {
    return holdsText(this, part)
  }),
  celFunc('int', [STRING], INT, (text) => wholeNumber(text, (value) => BigInt.asIntN(64, value))),
  celFunc('uint', [STRING], UINT, (text) =>
    celUint(wholeNumber(text, (value) => BigInt.asUintN(64, value))),
  ),
]

const messageOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : ''

const found = (message: string): string => {
  const [, what] = /found (.+?) but expecting/.exec(message) ?? []
  return what === undefined ? 'this is no CEL' : `this is no CEL: ${what} may not stand here`
}

/** Reads a condition; what is nested too deeply ends the parser's stack and is told as that. */
export const parseCel = (source: string): Result<Parsed, SyntaxFault> => {
  try {
    return ok(parse(source))
  } catch (error) {
    const offset = isObject(error) ? numberAt(error, 'location', 'start', 'offset') : undefined
    return offset === undefined
      ? fail({ offset: 0, message: 'it is nested too deeply' })
      : fail({ offset, message: found(messageOf(error)) })
  }
}

/** The patterns of conditions, compiled once. */
export class Patterns {
  private readonly compiled = new Map<string, RE2JS>()

  /** Why a pattern is none; undefined where it is one. */
  add(pattern: string): string | undefined {
    if (this.compiled.has(pattern)) return undefined
    if (this.compiled.size >= MAX_PATTERNS) return `a policy may have ${MAX_PATTERNS} of them`
    try {
      this.compiled.set(pattern, RE2JS.compile(pattern))
      return undefined
    } catch (error) {
      return messageOf(error).replace('error parsing regexp: ', '')
    }
  }

  test(pattern: string, text: string): boolean {
    const compiled = this.compiled.get(pattern)
    if (!compiled) throw new Error('the pattern was not compiled')
    if (text.length > MAX_MATCHED_LENGTH) throw new Error('the text is too long for matches()')
    return compiled.test(text)
  }
}

/** The value, or why there is none; the reason may hold parts of arguments. */
export type Evaluate = (variables: Readonly<Record<string, CelInput>>) => Result<unknown, string>

/** Plans conditions whose patterns `patterns` knows. */
export const celPlanner = (patterns: Patterns): ((parsed: Parsed) => Evaluate) => {
  const env = celEnv({
    funcs: [
      ...strings.filter(({ name }) => ADDED.has(name)),
      ...BOUNDED,
      celMethod('matches', STRING, [STRING], BOOL, function (pattern) {
        return patterns.test(pattern, this)
      }),
    ],
  })
  return (parsed) => {
    const evaluate = plan(env, parsed)
    return (variables) => {
      try {
        const value = evaluate(variables)
        return isCelError(value) ? fail(value.message) : ok(value)
      } catch (error) {
        return fail(messageOf(error) || codeOf(error) || 'it failed')
      }
    }
  }
}
