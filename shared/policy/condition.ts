// One condition of a rule, read and planned when the policy is, and evaluated at a call. Fails closed: what throws, what is
// no boolean and what would take too long has failed, and never holds. Pure.

import { fail, ok, type Result } from '../result.ts'
import type { Arguments, Members } from './arguments.ts'
import { celPlanner, parseCel, Patterns, type CelInput, type Evaluate } from './cel.ts'
import { hasLoops, inspect, shareOf, type Work } from './expression.ts'
import { plainOf, type Plain } from './plain.ts'

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
export interface Variables extends Readonly<Record<string, CelInput>> {
  readonly principal: ReadonlyMap<string, CelInput>
  readonly method: string
  readonly tool: string
  readonly prompt: string
  readonly resource: string
}

export type ArgumentsOf = () => Result<Arguments, string>

/** What the conditions about one message have taken so far, each of them a share of what one may. */
export interface Effort {
  spent: number
}

type Size = Pick<Arguments, 'values' | 'characters'>

/** What a caller is known by, and how much that is. */
export interface Claims extends Size {
  readonly principal: Variables['principal']
}

/** What is asked for. */
interface About {
  readonly method: string
  readonly target: { readonly kind: string; readonly name: string }
}

/** All conditions about one message, or one batch: about 250 ms. */
const MAX_SHARES = 5

export interface Condition {
  readonly source: string
  readonly variables: ReadonlySet<string>
  /** Nothing but the caller decides it: of one caller it always says the same. */
  readonly isOfCaller: boolean
  /** `argumentsOf` is asked where they are needed; undefined where nobody knows them yet. */
  holds(given: Given, argumentsOf: ArgumentsOf | undefined): Verdict
  /**
   * What the names of flat arguments say by themselves, whatever else is known: that it does not hold, or that none could be
   * taken for another that it asks for.
   */
  byNames(names: readonly string[]): 'not' | 'clear' | undefined
  /** The same over arguments whose names are clear. */
  holdsOver(given: Given, args: Arguments): Verdict
}

const HOLDS: Verdict = { kind: 'holds' }
const NOT: Verdict = { kind: 'not' }
const OPEN: Verdict = { kind: 'open' }
const failed = (why: string): Verdict => ({ kind: 'failed', why })

const TOO_LONG = failed('it would take too long over arguments of this size')
const TOO_LONG_TOGETHER = failed(
  'the conditions about this together would take too long over arguments of this size',
)

/** Evaluates it where that cannot take too long, alone and with those before it. */
const verdictOf = (planned: Planned, given: Given, args: Arguments | undefined): Verdict => {
  const { effort } = given
  // A loop goes through the one or the other; where they are put together that is counted by itself.
  const values = Math.max(given.values, args?.values ?? 0)
  const share = shareOf(planned.work, values, given.characters + (args?.characters ?? 0))
  if (share > 1) return TOO_LONG
  effort.spent += share
  if (effort.spent > MAX_SHARES) return TOO_LONG_TOGETHER
  const told = planned.plain?.(given, args)
  return told === undefined ? byLibrary(planned, given.variables, args) : toVerdict(told)
}

const toVerdict = (isTrue: boolean): Verdict => (isTrue ? HOLDS : NOT)

const byLibrary = (
  { evaluate }: Planned,
  variables: Variables,
  args: Arguments | undefined,
): Verdict => {
  const value = evaluate(args ? { ...variables, arguments: args.value } : variables)
  if (!value.ok) return failed(value.error)
  return typeof value.value === 'boolean'
    ? toVerdict(value.value)
    : failed('it is neither true nor false')
}

const sizeOf = (value: CelInput): Size => {
  if (typeof value === 'string') return { values: 1, characters: value.length }
  const parts = value instanceof Map || Array.isArray(value) ? [...value.values()] : undefined
  return parts ? sumOf(parts.map(sizeOf)) : { values: 1, characters: 0 }
}

const sumOf = (sizes: readonly Size[]): Size => ({
  values: sizes.reduce((sum, { values }) => sum + values, 0),
  characters: sizes.reduce((sum, { characters }) => sum + characters, 0),
})

export const claimsOf = (principal: Variables['principal']): Claims => ({
  principal,
  ...sizeOf(principal),
})

/** The variables that are texts. */
const TEXTS = 4

/** What is known before anybody looks at arguments; few conditions ask for more of it than its size. */
export class Given {
  /** What is spent on what it came with. */
  readonly effort: Effort
  /** How much of it loops and texts may go through. */
  readonly values: number
  readonly characters: number
  private readonly claims: Claims
  private readonly about: About
  private made: Variables | undefined

  constructor(claims: Claims, about: About, effort: Effort = { spent: 0 }) {
    this.effort = effort
    this.values = claims.values + TEXTS
    this.characters = claims.characters + about.method.length + about.target.name.length
    this.claims = claims
    this.about = about
  }

  get variables(): Variables {
    this.made ??= variablesOf(this.claims, this.about)
    return this.made
  }
}

const variablesOf = ({ principal }: Claims, { method, target }: About): Variables => {
  const named = (kind: string): string => (target.kind === kind ? target.name : '')
  return {
    principal,
    method,
    tool: named('tools'),
    prompt: named('prompts'),
    resource: named('resources'),
  }
}

/** As a reader folds that knows no case: in Go's the Kelvin sign is a k, too. */
const fold = (name: string): string => name.toUpperCase().toLowerCase()

/** A member that a server without case would take for one that the condition asks for. */
const twinIn = (
  names: Arguments['names'],
  { exact, folded, others }: Asked,
): string | undefined => {
  for (const name of names) {
    if (exact.has(name) || others.has(name)) continue
    if (folded.has(fold(name))) return name
    if (others.size < MAX_OTHERS && name.length <= MAX_OTHER) others.add(name)
  }
  return undefined
}

/** Folding takes ten times what it takes to know a name again; so many are known, and none that is long. */
const MAX_OTHERS = 32
const MAX_OTHER = 64

interface Asked {
  readonly exact: ReadonlySet<string>
  readonly folded: ReadonlySet<string>
  /** Names that it does not ask for, in no spelling. */
  readonly others: Set<string>
}

const withArguments = (planned: Planned, given: Given, argumentsOf: ArgumentsOf): Verdict => {
  const args = argumentsOf()
  if (!args.ok) return failed(`the arguments cannot be judged: ${args.error}`)
  const twin = twinIn(args.value.names, planned.asked)
  if (twin !== undefined) {
    return failed(
      `the argument ${JSON.stringify(twin)} differs only in case from one that it asks for`,
    )
  }
  return verdictOf(planned, given, args.value)
}

/** Members of which nothing is known but the names. */
const named = (names: readonly string[]): Members => ({
  has: (name) => (names.includes(name) ? undefined : false),
  plain: () => undefined,
})

const NOTHING = { variables: {} }

/** Over short arguments it takes nothing that counts: left out or not, as much is left for the others. */
const MAX_LIGHT = 64
const isLight = (work: Work): boolean => work.nodes <= MAX_LIGHT && !hasLoops(work)

const byNames = (
  { plain, work, asked }: Planned,
  names: readonly string[],
): 'not' | 'clear' | undefined => {
  if (twinIn(names, asked) !== undefined) return undefined
  return isLight(work) && plain?.(NOTHING, named(names)) === false ? 'not' : 'clear'
}

const NEVER = 'it would take too long, whatever the arguments are'

interface Planned {
  readonly plain: Plain | undefined
  readonly evaluate: Evaluate
  readonly work: Work
  readonly asked: Asked
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
    if (told.length === 0 && shareOf(work, 0, 0) > 1) told.push({ offset: 0, message: NEVER })
    if (told.length > 0) return fail(told)
    const evaluate = this.planned(parsed.value)
    const folded = new Set([...members].map(fold))
    const planned = {
      plain: plainOf(parsed.value.expr),
      evaluate,
      work,
      asked: { exact: members, folded, others: new Set<string>() },
    }
    const usesArguments = variables.has('arguments')
    return ok({
      source,
      variables,
      isOfCaller: variables.size === 1 && variables.has('principal'),
      holds: (given, argumentsOf) => {
        if (!usesArguments) return verdictOf(planned, given, undefined)
        return argumentsOf ? withArguments(planned, given, argumentsOf) : OPEN
      },
      byNames: (names) => (usesArguments ? byNames(planned, names) : undefined),
      holdsOver: (given, args) => verdictOf(planned, given, args),
    })
  }
}
