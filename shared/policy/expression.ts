// What is wrong with a condition before it is ever evaluated, and how much work it can be. Conditions are their author's;
// the arguments that they walk through are the caller's, so work is bounded by both. Pure.

import { nearest } from '../nearest.ts'
import type { Expression, Patterns } from './cel.ts'

export const VARIABLES = ['principal', 'method', 'tool', 'prompt', 'resource', 'arguments'] as const
const PRINCIPAL = ['issuer', 'subject', 'client', 'groups', 'scopes', 'roles']
const TYPES = ['bool', 'double', 'int', 'list', 'map', 'null_type', 'string', 'type', 'uint']

const OPERATORS = new Set(
  '_&&_ _||_ !_ _?_:_ _==_ _!=_ _<_ _<=_ _>_ _>=_ @in _+_ _-_ _*_ _/_ _%_ -_ _[_] @not_strictly_false'.split(
    ' ',
  ),
)
const FUNCTIONS =
  'size contains startsWith endsWith matches lowerAscii upperAscii trim bool double int string uint dyn type timestamp duration'.split(
    ' ',
  )
/** The comprehensions, which the parser has taken apart already. */
const MACROS = ['has', 'all', 'exists', 'exists_one', 'map', 'filter']

const MAX_NODES = 500
const MAX_DEPTH = 40
const MAX_LOOPS = 2
const MAX_PATTERN_LENGTH = 256

/** How often something is done, by how many loops stand around it. */
type ByLoops = [number, number, number, number]

/** What a condition does in the worst case. */
export interface Work {
  nodes: number
  /** A list can become as much longer as there are lists put together. */
  joins: number
  readonly steps: ByLoops
  readonly texts: ByLoops
}

export interface ExpressionFault {
  readonly id: bigint
  readonly message: string
}

/** What was found in a condition. */
export interface Findings {
  readonly faults: ExpressionFault[]
  readonly variables: Set<string>
  /** Names of members that it asks for. */
  readonly members: Set<string>
  readonly work: Work
}

/** Where in the condition something stands. */
interface Place {
  readonly depth: number
  readonly loops: number
  /** Variables of the loops around. */
  readonly bound: ReadonlySet<string>
}

interface Walk extends Findings {
  readonly patterns: Patterns
}

const report = (walk: Walk, { id }: Expression, message: string): void => {
  walk.faults.push({ id, message })
}

const withHint = (message: string, word: string, words: readonly string[]): string => {
  const match = nearest(word, words)
  return match === undefined
    ? `${message}; there are ${words.join(', ')}`
    : `${message}; did you mean ${match}?`
}

const constantText = (expression: Expression | undefined): string | undefined => {
  const kind = expression?.exprKind
  if (kind?.case !== 'constExpr' || kind.value.constantKind.case !== 'stringValue') return undefined
  return kind.value.constantKind.value
}

const isConstant = (expression: Expression | undefined): boolean => {
  const kind = expression?.exprKind
  if (kind?.case === 'listExpr') return kind.value.elements.every((element) => isConstant(element))
  return kind?.case === 'constExpr'
}

const checkIdentifier = (expression: Expression, name: string, walk: Walk, place: Place): void => {
  if (place.bound.has(name) || TYPES.includes(name)) return
  const isVariable = VARIABLES.some((variable) => variable === name)
  if (isVariable) walk.variables.add(name)
  else report(walk, expression, withHint(`there is no variable ${name}`, name, VARIABLES))
}

const checkMatches = (expression: Expression, args: readonly Expression[], walk: Walk): void => {
  const pattern = constantText(args.at(-1))
  if (pattern === undefined) {
    report(walk, expression, 'the pattern of matches() must stand there as a string')
    return
  }
  const isLong = pattern.length > MAX_PATTERN_LENGTH || /\{\d{0,9},?\d{3}/.test(pattern)
  const why = isLong
    ? `it may have ${MAX_PATTERN_LENGTH} characters, and repeat 99 times`
    : walk.patterns.add(pattern)
  if (why !== undefined) report(walk, expression, `the pattern of matches() cannot be used: ${why}`)
}

/** Slow ones go through their text one character at a time. */
const TEXT_COST: ReadonlyMap<string, number> = new Map([
  ['_+_', 1],
  ['contains', 8],
  ['startsWith', 1],
  ['endsWith', 1],
  ['trim', 1],
  ['size', 10],
  ['matches', 10],
  ['lowerAscii', 20],
  ['upperAscii', 20],
])
/** What stands in a condition is short, and searched for natively. */
const textCost = (name: string, operands: readonly Expression[]): number =>
  name === 'contains' && isConstant(operands.at(-1)) ? 1 : (TEXT_COST.get(name) ?? 0)

/** What may compare every part of one thing with every part of another. */
const COMPARES = new Set(['_==_', '_!=_', '@in'])

const countCall = (name: string, operands: readonly Expression[], walk: Walk, loops: number) => {
  const { work } = walk
  if (name === '_+_') work.joins += 1
  const isWide = COMPARES.has(name) && !operands.some((operand) => isConstant(operand))
  const at = Math.min(loops + (isWide && loops > 0 ? 1 : 0), MAX_LOOPS + 1)
  work.steps[at] = (work.steps[at] ?? 0) + 1
  work.texts[loops] = (work.texts[loops] ?? 0) + textCost(name, operands)
}

type Kind<Case extends Expression['exprKind']['case']> = Extract<
  Expression['exprKind'],
  { readonly case: Case }
>

/** What may be names of members: `arguments["a"]`, `"a" in arguments`, and with what a loop compares what it goes through. */
const membersIn = (name: string, args: readonly Expression[], place: Place): readonly string[] => {
  const [left, right] = args
  if (name === '_[_]') return textsIn(right)
  const isOfLoop = args.some((one) => place.bound.has(rootOf(one) ?? ''))
  if (name === '@in' && !isOfLoop) return rootOf(right) === 'principal' ? [] : textsIn(left)
  return isOfLoop && COMPARES.has(name) ? args.flatMap(textsIn) : []
}

/** The variable that it is a part of, or is. */
const rootOf = (expression: Expression | undefined): string | undefined => {
  const kind = expression?.exprKind
  if (kind?.case === 'selectExpr') return rootOf(kind.value.operand)
  return kind?.case === 'identExpr' ? kind.value.name : undefined
}

const textsIn = (expression: Expression | undefined): readonly string[] => {
  const kind = expression?.exprKind
  if (kind?.case === 'listExpr') return kind.value.elements.flatMap(textsIn)
  const text = constantText(expression)
  return text === undefined ? [] : [text]
}

const walkCall = (
  expression: Expression,
  { value }: Kind<'callExpr'>,
  walk: Walk,
  place: Place,
): void => {
  const { function: name, target, args } = value
  if (!OPERATORS.has(name) && !FUNCTIONS.includes(name)) {
    const message = `there is no function ${name} in conditions`
    report(walk, expression, withHint(message, name, [...FUNCTIONS, ...MACROS]))
  }
  if (name === 'matches') checkMatches(expression, args, walk)
  for (const member of membersIn(name, args, place)) walk.members.add(member)
  const operands = target ? [target, ...args] : args
  countCall(name, operands, walk, place.loops)
  for (const operand of operands) visit(operand, walk, place)
}

const walkLoop = (
  expression: Expression,
  { value }: Kind<'comprehensionExpr'>,
  walk: Walk,
  place: Place,
): void => {
  const inside = {
    ...place,
    loops: place.loops + 1,
    bound: new Set([...place.bound, value.iterVar, value.iterVar2, value.accuVar]),
  }
  if (inside.loops > MAX_LOOPS) {
    report(walk, expression, `loops may stand in each other ${MAX_LOOPS} deep`)
    return
  }
  walk.work.steps[inside.loops] = (walk.work.steps[inside.loops] ?? 0) + 1
  for (const part of [value.iterRange, value.accuInit]) if (part) visit(part, walk, place)
  for (const part of [value.loopCondition, value.loopStep, value.result]) {
    if (part) visit(part, walk, inside)
  }
}

const walkSelect = ({ value }: Kind<'selectExpr'>, walk: Walk, place: Place): void => {
  const { operand, field } = value
  if (!operand) return
  walk.members.add(field)
  const kind = operand.exprKind
  const isPrincipal = kind.case === 'identExpr' && kind.value.name === 'principal'
  if (isPrincipal && !place.bound.has('principal') && !PRINCIPAL.includes(field)) {
    report(walk, operand, withHint(`a principal has no ${field}`, field, PRINCIPAL))
  }
  visit(operand, walk, place)
}

const walkStruct = (
  expression: Expression,
  { value }: Kind<'structExpr'>,
  walk: Walk,
  place: Place,
): void => {
  if (value.messageName !== '') report(walk, expression, `there is no type ${value.messageName}`)
  for (const { keyKind, value: member } of value.entries) {
    if (keyKind.case === 'mapKey') visit(keyKind.value, walk, place)
    if (member) visit(member, walk, place)
  }
}

/** Goes no deeper, and no further, than a condition may. */
const visit = (expression: Expression, walk: Walk, outer: Place): void => {
  walk.work.nodes += 1
  const place = { ...outer, depth: outer.depth + 1 }
  if (place.depth > MAX_DEPTH || walk.work.nodes > MAX_NODES) {
    const isFirst = walk.faults.every(({ message }) => message !== TOO_LARGE)
    if (isFirst) report(walk, expression, TOO_LARGE)
    return
  }
  walkParts(expression, walk, place)
}

const walkParts = (expression: Expression, walk: Walk, place: Place): void => {
  const kind = expression.exprKind
  switch (kind.case) {
    case 'identExpr':
      return checkIdentifier(expression, kind.value.name, walk, place)
    case 'callExpr':
      return walkCall(expression, kind, walk, place)
    case 'selectExpr':
      return walkSelect(kind, walk, place)
    case 'comprehensionExpr':
      return walkLoop(expression, kind, walk, place)
    case 'structExpr':
      return walkStruct(expression, kind, walk, place)
    case 'listExpr':
      return kind.value.elements.forEach((part) => visit(part, walk, place))
    case 'constExpr':
    case undefined:
  }
}

const TOO_LARGE = `it is too large: it may have ${MAX_NODES} parts, ${MAX_DEPTH} in each other`

/** Goes through a condition once; patterns of `matches` go into `patterns`. */
export const inspect = (expression: Expression, patterns: Patterns): Findings => {
  const walk: Walk = {
    faults: [],
    variables: new Set(),
    members: new Set(),
    work: { nodes: 0, joins: 0, steps: [0, 0, 0, 0], texts: [0, 0, 0, 0] },
    patterns,
  }
  visit(expression, walk, { depth: 0, loops: 0, bound: new Set() })
  return walk
}

/** About 40 ms. */
const MAX_STEPS = 20_000
const MAX_TEXT = 50_000_000
/** Parts that no loop repeats take so much less than a step. */
const PARTS_A_STEP = 32

/** Without any nothing is done more often for there being more values; asked at each call. */
export const hasLoops = ({ steps, texts }: Work): boolean =>
  steps[1] + steps[2] + steps[3] + texts[1] + texts[2] + texts[3] > 0

/**
 * What a condition can take over arguments of so many values and characters, as a share of what one condition may: beyond
 * 1 it can take too long.
 */
export const shareOf = (work: Work, values: number, characters: number): number => {
  if (!hasLoops(work)) {
    const { nodes, texts } = work
    return Math.max(nodes / PARTS_A_STEP / MAX_STEPS, (texts[0] * characters) / MAX_TEXT)
  }
  const most = Math.max(values, work.nodes) * (work.joins + 1)
  const sum = (by: ByLoops): number =>
    by.reduce((total, count, loops) => total + count * most ** loops, 0)
  const steps = sum(work.steps) - work.steps[0] + work.nodes / PARTS_A_STEP
  return Math.max(steps / MAX_STEPS, (sum(work.texts) * characters) / MAX_TEXT)
}
