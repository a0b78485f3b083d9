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

/** As a reader folds that knows no case: in Go's the Kelvin sign is a k, too. */
const fold = (name: string): string => name.toUpperCase().toLowerCase()

/** A member that a server without case would take for one that the condition asks for. */
const twinIn = (names: ReadonlySet<string>, { exact, folded }: Members): string | undefined => {
  for (const name of names) if (!exact.has(name) && folded.has(fold(name))) return name
  return undefined
}

interface Members {
  readonly exact: ReadonlySet<string>
  readonly folded: ReadonlySet<string>
}

const withArguments = (
  { evaluate, work, members }: Planned,
  variables: Variables,
  argumentsOf: ArgumentsOf,
): Verdict => {
  const args = argumentsOf()
  if (!args.ok) return failed(`the arguments cannot be judged: ${args.error}`)
  const { value, names, values, characters } = args.value
  const twin = twinIn(names, members)
  if (twin !== undefined) {
    return failed(
      `the argument ${JSON.stringify(twin)} differs only in case from one that it asks for`,
    )
  }
  return isTooMuch(work, values, characters)
    ? failed('it would take too long over arguments of this size')
    : verdictOf(evaluate, { ...variables, arguments: value })
}

const TOO_LONG = 'it would take too long, whatever the arguments are'

interface Planned {
  readonly evaluate: Evaluate
  readonly work: Work
  readonly members: Members
}

/** Reads the conditions of one policy. */
export class Conditions {
  private readonly patterns = new Patterns()
  private readonly planned = celPlanner(this.patterns)

  /** Every fault at once. */
  read(source: string): Result<Condition, readonly ConditionFault[]> {
    const parsed = parseCel(source)
    if (!parsed.ok) return fail([parsed.error])
    const { faults, variables, members, work } = inspect(parsed.value.expr, this.patterns)
    const positions = parsed.value.sourceInfo?.positions
    const told = faults.map(({ id, message }) => ({
      offset: positions?.[String(id)] ?? 0,
      message,
    }))
    if (told.length === 0 && isTooMuch(work, 0, 0)) told.push({ offset: 0, message: TOO_LONG })
    if (told.length > 0) return fail(told)
    const evaluate = this.planned(parsed.value)
    const folded = new Set([...members].map(fold))
    const planned = { evaluate, work, members: { exact: members, folded } }
    const usesArguments = variables.has('arguments')
    return ok({
      source,
      variables,
      holds: (given, argumentsOf) => {
        if (!usesArguments) return verdictOf(evaluate, given)
        return argumentsOf ? withArguments(planned, given, argumentsOf) : OPEN
      },
    })
  }
}
