// What of a condition can be told without the CEL library, which takes a microsecond where this takes a twentieth of one
// (`npm run bench -- auth`): whether members are there, how texts compare, and what `!`, `&&` and `||` make of that. It
// says nothing where it is not sure, least of all what has failed, and never other than the library (a test compares
// them). Pure.

import type { Members } from './arguments.ts'
import type { CelInput, Expression } from './cel.ts'

/** Of a caller's call, as a condition sees it: made where somebody asks. */
interface Seen {
  readonly variables: Readonly<Record<string, CelInput>>
}

/** By the arguments as JSON has them, whose texts and truths are CEL's own. Undefined: the library has to be asked. */
type Told<T> = (seen: Seen, members: Members | undefined) => T | undefined
export type Plain = Told<boolean>

type Kind<Case> = Extract<Expression['exprKind'], { readonly case: Case }>['value']
type Call = Kind<'callExpr'>
type Select = Kind<'selectExpr'>
type Constant = Kind<'constExpr'>

/** A part, if it is there: `arguments.a`, `principal.a`. */
interface Place {
  readonly root: string
  readonly field: string
}

const ARGUMENTS = 'arguments'

const identifier = (expression: Expression | undefined): string | undefined =>
  expression?.exprKind.case === 'identExpr' ? expression.exprKind.value.name : undefined

const placeOf = ({ operand, field }: Select): Place | undefined => {
  const root = identifier(operand)
  return root === ARGUMENTS || root === 'principal' ? { root, field } : undefined
}

const isThere =
  ({ root, field }: Place): Plain =>
  (seen, members) => {
    if (root === ARGUMENTS) return members?.has(field)
    const holder = seen.variables[root]
    return holder instanceof Map ? holder.has(field) : undefined
  }

const partAt =
  ({ root, field }: Place): Told<unknown> =>
  (seen, members) => {
    if (root === ARGUMENTS) return members?.plain(field)
    const holder = seen.variables[root]
    return holder instanceof Map ? holder.get(field) : undefined
  }

const constantOf = ({ constantKind }: Constant): Told<unknown> | undefined => {
  const isPlain = constantKind.case === 'stringValue' || constantKind.case === 'boolValue'
  return isPlain ? () => constantKind.value : undefined
}

const variable =
  (name: string): Told<unknown> =>
  ({ variables }) =>
    Object.hasOwn(variables, name) ? variables[name] : undefined

/** A value; what is not there is undefined, too. */
const valueOf = (expression: Expression | undefined): Told<unknown> | undefined =>
  expression && valueIn(expression.exprKind)

const valueIn = (kind: Expression['exprKind']): Told<unknown> | undefined => {
  if (kind.case === 'constExpr') return constantOf(kind.value)
  if (kind.case === 'identExpr') return variable(kind.value.name)
  if (kind.case === 'listExpr') return listOf(kind.value.elements)
  if (kind.case !== 'selectExpr' || kind.value.testOnly) return undefined
  const place = placeOf(kind.value)
  return place && partAt(place)
}

/** A list of what stands there as texts. */
const listOf = (elements: readonly Expression[]): Told<unknown> | undefined => {
  const texts = elements.flatMap(({ exprKind }) =>
    exprKind.case === 'constExpr' && exprKind.value.constantKind.case === 'stringValue'
      ? [exprKind.value.constantKind.value]
      : [],
  )
  return texts.length === elements.length ? () => texts : undefined
}

type Compare = (one: string, other: string) => boolean

const OPERATORS: ReadonlyMap<string, Compare> = new Map([
  ['_==_', (one, other) => one === other],
  ['_!=_', (one, other) => one !== other],
])

/** Of a text: called as functions of two they are nothing that CEL knows. */
const METHODS: ReadonlyMap<string, Compare> = new Map([
  ['startsWith', (one, other) => one.startsWith(other)],
  ['endsWith', (one, other) => one.endsWith(other)],
])

const comparison = (
  compare: Compare | undefined,
  operands: readonly Expression[],
): Plain | undefined => {
  const [one, other] = [valueOf(operands[0]), valueOf(operands[1])]
  if (!compare || !one || !other || operands.length > 2) return undefined
  return (seen, members) => {
    const [a, b] = [one(seen, members), other(seen, members)]
    return typeof a === 'string' && typeof b === 'string' ? compare(a, b) : undefined
  }
}

/** A text among others, or among the names of arguments. */
const membership = ([left, right]: readonly Expression[]): Plain | undefined => {
  const one = valueOf(left)
  if (!one) return undefined
  if (identifier(right) === ARGUMENTS) {
    return (seen, members) => {
      const name = one(seen, members)
      return typeof name === 'string' ? members?.has(name) : undefined
    }
  }
  const many = valueOf(right)
  return (
    many &&
    ((seen, members) => {
      const [a, all] = [one(seen, members), many(seen, members)]
      return typeof a === 'string' && Array.isArray(all) ? all.includes(a) : undefined
    })
  )
}

/** `decisive`: what one of them needs to be, for all others not to matter, also where they fail. */
const joined = (operands: readonly Expression[], decisive: boolean): Plain | undefined => {
  const parts = operands.map(plainOf)
  if (parts.every((part) => part === undefined)) return undefined
  return (seen, members) => {
    let isSure = true
    for (const part of parts) {
      const told = part?.(seen, members)
      if (told === decisive) return decisive
      if (told === undefined) isSure = false
    }
    return isSure ? !decisive : undefined
  }
}

const negated = ([operand]: readonly Expression[]): Plain | undefined => {
  const plain = operand && plainOf(operand)
  return (
    plain &&
    ((seen, members) => {
      const told = plain(seen, members)
      return told === undefined ? undefined : !told
    })
  )
}

const callOf = ({ function: name, target, args }: Call): Plain | undefined => {
  if (target) return comparison(METHODS.get(name), [target, ...args])
  if (name === '_&&_') return joined(args, false)
  if (name === '_||_') return joined(args, true)
  if (name === '!_') return negated(args)
  if (name === '@in') return membership(args)
  return comparison(OPERATORS.get(name), args)
}

const truth = (value: Told<unknown> | undefined): Plain | undefined =>
  value &&
  ((seen, members) => {
    const told = value(seen, members)
    return typeof told === 'boolean' ? told : undefined
  })

/** Undefined where nothing of it can ever be told. */
export const plainOf = (expression: Expression): Plain | undefined => {
  const { exprKind: kind } = expression
  if (kind.case === 'callExpr') return callOf(kind.value)
  if (kind.case === 'selectExpr' && kind.value.testOnly) {
    const place = placeOf(kind.value)
    return place && isThere(place)
  }
  return truth(valueOf(expression))
}
