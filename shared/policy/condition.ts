// One condition of a rule, read and planned when the policy is, and evaluated at a call. Fails closed: what throws, what is
// no boolean and what would take too long has failed, and never holds. Pure.

import { fail, ok, type Result } from '../result.ts'
import type { Arguments } from './arguments.ts'
import { celPlanner, parseCel, Patterns, type CelInput, type Evaluate } from './cel.ts'
import { inspect, isTooMuch, type Work } from './expression.ts'

export interface ConditionFault {
  /** Where in the condition's text. */
  readonly offset: number
  readonly message: string
}

/** What a condition says; `why` may hold parts of arguments, and is for whoever wrote them. */
export type Verdict =
  | { readonly kind: 'holds' | 'not' }
  /** It depends on arguments, and nobody knows them. */
  | { readonly kind: 'open' }
  | { readonly kind: 'failed'; readonly why: string }

/** Everything but the arguments. */
export type Variables = Readonly<Record<string, CelInput>>

export type ArgumentsOf = () => Result<Arguments, string>

export interface Condition {
  readonly source: string
  readonly variables: ReadonlySet<string>
  /** `argumentsOf` is asked where they are needed; undefined where nobody knows them yet. */
  holds(variables: Variables, argumentsOf: ArgumentsOf | undefined): Verdict
}

const HOLDS: Verdict = { kind: 'holds' }
const NOT: Verdict = { kind: 'not' }
const OPEN: Verdict = { kind: 'open' }
const failed = (why: string): Verdict => ({ kind: 'failed', why })

const verdictOf = (evaluate: Evaluate, variables: Variables): Verdict => {
  const value = evaluate(variables)
  if (!value.ok) return failed(value.error)
  if (typeof value.value !== 'boolean') return failed('it is neither true nor false')
  return value.value ? HOLDS : NOT
}

const withArguments = (
  evaluate: Evaluate,
  work: Work,
  variables: Variables,
  argumentsOf: ArgumentsOf,
): Verdict => {
  const args = argumentsOf()
  if (!args.ok) return failed(`the arguments cannot be judged: ${args.error}`)
  const { value, values, characters } = args.value
  return isTooMuch(work, values, characters)
    ? failed('it would take too long over arguments of this size')
    : verdictOf(evaluate, { ...variables, arguments: value })
}

const TOO_LONG = 'it would take too long, whatever the arguments are'

/** Reads the conditions of one policy. */
export class Conditions {
  private readonly patterns = new Patterns()
  private readonly planned = celPlanner(this.patterns)

  /** Every fault at once. */
  read(source: string): Result<Condition, readonly ConditionFault[]> {
    const parsed = parseCel(source)
    if (!parsed.ok) return fail([parsed.error])
    const { faults, variables, work } = inspect(parsed.value.expr, this.patterns)
    const positions = parsed.value.sourceInfo?.positions
    const told = faults.map(({ id, message }) => ({
      offset: positions?.[String(id)] ?? 0,
      message,
    }))
    if (told.length === 0 && isTooMuch(work, 0, 0)) told.push({ offset: 0, message: TOO_LONG })
    if (told.length > 0) return fail(told)
    const evaluate = this.planned(parsed.value)
    const usesArguments = variables.has('arguments')
    return ok({
      source,
      variables,
      holds: (given, argumentsOf) => {
        if (!usesArguments) return verdictOf(evaluate, given)
        return argumentsOf ? withArguments(evaluate, work, given, argumentsOf) : OPEN
      },
    })
  }
}
