// What is left to ask of one caller about one target: without the rules that are about others, those whose condition asks for
// nothing but the caller and does not hold, and, once the names of a call's arguments are known, those that do not hold for
// what is not among them. Callers ask for few tools, again and again, with the same few arguments. Bounded over all callers
// of a policy; where there are more, all is worked out anew. Pure.

import type { Arguments } from './arguments.ts'
import type { Rule, Target } from './rules.ts'
import type { Kind } from './schema.ts'

/** A rule about the caller. */
export interface Open {
  readonly rule: Rule
  /** Nobody could take a name of the arguments for another that its condition asks for. */
  readonly isClear: boolean
}

export interface Rules {
  readonly deny: readonly Open[]
  readonly allow: readonly Open[]
}

/** The same for arguments of these names. */
interface Shape extends Rules {
  readonly names: readonly string[]
}

export interface Left extends Rules {
  /** Arguments are asked for first of all. */
  readonly asksArguments: boolean
  readonly shapes: Shape[]
}

/** One caller's, by kind and name. */
export interface Kept {
  byName: { [kind in Kind]?: Map<string, Left> }
}

/** Rules that are kept, of all callers and targets of a policy; each target counts as one besides. */
const MAX_LEFT = 16_384
/** About a target that more are about all are asked each time. */
const MAX_RULES = 256

/** Names as tools have them; what is longer is not asked for again and again. */
const NAME = /^[\x21-\x7e]{1,128}$/

/** Of one target; and of names, each as arguments mostly have them. */
const MAX_SHAPES = 4
const MAX_NAMES = 8
const MAX_CHARACTERS = 4096
const ARGUMENT = /^[\x21-\x7e]{1,32}$/

/** V8 keeps a whole message for a part of it. */
const copied = (name: string): string => Buffer.from(name, 'latin1').toString('latin1')

const isOpen =
  (names: readonly string[]) =>
  ({ rule: { condition } }: Open): boolean =>
    condition?.byNames(names) !== 'not'

const openBy = (rules: readonly Open[], names: readonly string[]): readonly Open[] =>
  rules
    .filter(isOpen(names))
    .map(({ rule }) => ({ rule, isClear: rule.condition?.byNames(names) === 'clear' }))

const areSame = (some: readonly string[], others: readonly string[]): boolean => {
  if (some.length !== others.length) return false
  for (let index = 0; index < some.length; index++) {
    if (some[index] !== others[index]) return false
  }
  return true
}

const isList = (names: Arguments['names']): names is readonly string[] => Array.isArray(names)

const isShape = (names: readonly string[]): boolean =>
  names.length <= MAX_NAMES && names.every((name) => ARGUMENT.test(name))

const countIn = ({ deny, allow }: Rules): number => 1 + deny.length + allow.length

const asksArguments = ({ deny, allow }: Rules): boolean =>
  (deny[0] ?? allow[0])?.rule.condition?.variables.has('arguments') === true

export class LeftRules {
  /** Those of whom anything is kept, however long they do not call: it has to be let go of them, too. */
  private readonly kept = new Set<Kept>()
  private size = 0

  /** Nothing of a caller's yet. */
  none(): Kept {
    return { byName: {} }
  }

  find(kept: Kept, { kind, name, isTemplate }: Target): Left | undefined {
    return isTemplate === true ? undefined : kept.byName[kind]?.get(name)
  }

  /** Whether what is left of so many rules about a target is kept. */
  takes({ name, isTemplate }: Target, rules: number): boolean {
    return isTemplate !== true && rules <= MAX_RULES && NAME.test(name)
  }

  keep(kept: Kept, { kind, name }: Target, rules: Rules): void {
    this.count(rules)
    this.kept.add(kept)
    const byName = (kept.byName[kind] ??= new Map())
    byName.set(copied(name), { ...rules, asksArguments: asksArguments(rules), shapes: [] })
  }

  /** What is left for arguments of these names. */
  over(left: Left, { names, characters }: Arguments): Rules {
    if (!isList(names) || characters > MAX_CHARACTERS) return left
    for (const shape of left.shapes) if (areSame(shape.names, names)) return shape
    if (!isShape(names)) return left
    const known = names.map(copied)
    const shape = { names: known, deny: openBy(left.deny, known), allow: openBy(left.allow, known) }
    this.count(shape)
    if (left.shapes.length === MAX_SHAPES) left.shapes.shift()
    left.shapes.push(shape)
    return shape
  }

  /** Where they are too many all that is kept is forgotten. */
  private count(rules: Rules): void {
    this.size += countIn(rules)
    if (this.size <= MAX_LEFT) return
    this.size = countIn(rules)
    for (const one of this.kept) one.byName = {}
    this.kept.clear()
  }
}
