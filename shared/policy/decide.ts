// The one evaluation of a tool policy: who may do what. Calls, lists and what the server asks of clients go through it. What
// denies goes before what allows; what nothing allows is denied; a condition that has failed denies in a rule that denies,
// and does not allow in one that allows. Pure.

import type { Arguments } from './arguments.ts'
import { principalOf, type Caller, type Who } from './caller.ts'
import {
  claimsOf,
  Given,
  type ArgumentsOf,
  type Claims,
  type Condition,
  type Effort,
  type Verdict,
} from './condition.ts'
import { LeftRules, type Kept, type Left, type Open, type Rules } from './left-rules.ts'
import { RuleIndex, type Rule, type Target } from './rules.ts'
import type { Kind } from './schema.ts'

export interface Role {
  readonly name: string
  readonly who: Who
}

/** What is decided about. */
export interface Question {
  /** Undefined where nobody was asked who calls. */
  readonly caller: Caller | undefined
  /** By which the target is called. */
  readonly method: string
  readonly target: Target
  /** Undefined where they are not known: in a list, which holds what some arguments would allow. */
  readonly argumentsOf: ArgumentsOf | undefined
  /** What is spent already on what it came with; undefined where it came alone. */
  readonly effort?: Effort | undefined
}

export interface Decision {
  readonly isAllowed: boolean
  /** The rule that decided; undefined where none did. */
  readonly rule: string | undefined
  /** It is the base policy in which no rule allows it. */
  readonly isOfBase?: boolean
  /** The caller's. */
  readonly roles: readonly string[]
  /** It is recorded, and nothing else follows. */
  readonly isDryRun: boolean
  /** Conditions that failed on the way; the reasons may hold parts of arguments. */
  readonly failed: readonly { readonly rule: string; readonly why: string }[]
}

/** Whether something goes on. */
export const letsThrough = ({ isAllowed, isDryRun }: Decision): boolean => isAllowed || isDryRun

/** What every conversation needs and nobody gains by; lists hold what their caller may use. Only rules that deny are asked. */
const FREE: ReadonlySet<string> = new Set([
  'initialize',
  'ping',
  'server/discover',
  'logging/setLevel',
  'subscriptions/listen',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/progress',
  'notifications/roots/list_changed',
])

const isFree = ({ kind, name }: Target): boolean => kind === 'methods' && FREE.has(name)

export interface PolicyRules {
  readonly isDryRun: boolean
  readonly roles: readonly Role[]
  readonly rules: readonly Rule[]
}

/** What is known of a caller for good. */
interface Known {
  readonly roles: readonly string[]
  readonly claims: Claims
  /** What conditions have said that nothing else decides. */
  readonly verdicts: Map<Condition, Verdict>
  readonly left: Kept
}

/** One question on its way. */
interface Trial {
  readonly question: Question
  readonly known: Known
  /** Where the names of arguments have said which rules are left. */
  args: Arguments | undefined
  failed: { readonly rule: string; readonly why: string }[] | undefined
  given: Given | undefined
}

/** So many verdicts of a caller are kept. */
const MAX_KEPT = 32

const NO_FAILURES: Decision['failed'] = []

export class Policy {
  readonly isDryRun: boolean
  private readonly roles: readonly Role[]
  private readonly allow: RuleIndex
  private readonly deny: RuleIndex
  private readonly blocking: readonly Rule[]
  private readonly granting: readonly Rule[]
  private readonly left = new LeftRules()
  private readonly callers = new WeakMap<Caller, Known>()
  private readonly nobody: Known

  constructor({ isDryRun, roles, rules }: PolicyRules) {
    this.isDryRun = isDryRun
    this.roles = roles
    this.granting = rules.filter(({ effect }) => effect === 'allow')
    this.allow = new RuleIndex(this.granting)
    const denying = rules.filter(({ effect }) => effect === 'deny')
    this.deny = new RuleIndex(denying)
    this.blocking = denying.filter(
      ({ targets, condition }) => targets === undefined && condition === undefined,
    )
    this.nobody = this.know(undefined)
  }

  decide(question: Question): Decision {
    const known = this.of(question.caller)
    const { target } = question
    const trial: Trial = { question, known, args: undefined, failed: undefined, given: undefined }
    const before = this.left.find(known.left, target)
    if (before) return this.decideBy(this.overArguments(before, trial), trial)
    const decision = this.decideByAll(trial)
    // A list asks for all there is, once.
    if (question.argumentsOf) this.keepLeft(question, known)
    return decision
  }

  private decideByAll(trial: Trial): Decision {
    const { target } = trial.question
    const against = firstAbout(this.deny.about(target), denies, trial)
    if (against) return this.decision(trial, false, against.name)
    if (isFree(target)) return this.decision(trial, true, undefined)
    const permitting = firstAbout(this.allow.about(target), allows, trial)
    return this.decision(trial, permitting !== undefined, permitting?.name)
  }

  private decideBy({ deny, allow }: Rules, trial: Trial): Decision {
    const against = first(deny, denies, trial)
    if (against) return this.decision(trial, false, against.name)
    if (isFree(trial.question.target)) return this.decision(trial, true, undefined)
    const permitting = first(allow, allows, trial)
    return this.decision(trial, permitting !== undefined, permitting?.name)
  }

  /** Without what a caller alone has decided, and does not hold. */
  private keepLeft({ caller, target }: Question, { left, roles, verdicts }: Known): void {
    const [deny, allow] = [this.deny.about(target), this.allow.about(target)]
    if (!this.left.takes(target, deny.length + allow.length)) return
    const isLeft = ({ who, condition }: Rule): boolean =>
      who(caller, roles) && (!condition || verdicts.get(condition)?.kind !== 'not')
    const open = (rules: readonly Rule[]): readonly Open[] =>
      rules.filter(isLeft).map((rule) => ({ rule, isClear: false }))
    this.left.keep(left, target, { deny: open(deny), allow: open(allow) })
  }

  /** What is left of what was left before, where the names of arguments say more. */
  private overArguments(left: Left, trial: Trial): Rules {
    const { argumentsOf } = trial.question
    if (!left.asksArguments || !argumentsOf) return left
    const args = argumentsOf()
    if (!args.ok) return left
    trial.args = args.value
    return this.left.over(left, args.value)
  }

  /** About what nobody can tell. */
  refusal(caller: Caller | undefined): Decision {
    const { roles } = this.of(caller)
    return {
      isAllowed: false,
      rule: undefined,
      roles,
      isDryRun: this.isDryRun,
      failed: NO_FAILURES,
    }
  }

  /** The rule that denies a caller everything, whatever it is; a dry run keeps nobody away. */
  blocked(caller: Caller | undefined): string | undefined {
    if (this.isDryRun || this.blocking.length === 0) return undefined
    const { roles } = this.of(caller)
    return this.blocking.find(({ who }) => who(caller, roles))?.name
  }

  /** Whether a caller may use anything of a kind, as far as no name and no argument decides. */
  mayUseAny(caller: Caller | undefined, kind: Kind): boolean {
    const { roles } = this.of(caller)
    return (
      this.isDryRun ||
      this.granting.some(({ targets, who }) => targets?.[kind] !== undefined && who(caller, roles))
    )
  }

  rolesOf(caller: Caller | undefined): readonly string[] {
    return this.of(caller).roles
  }

  private decision(trial: Trial, isAllowed: boolean, rule: string | undefined): Decision {
    return {
      isAllowed,
      rule,
      roles: trial.known.roles,
      isDryRun: this.isDryRun,
      failed: trial.failed ?? NO_FAILURES,
    }
  }

  private of(caller: Caller | undefined): Known {
    if (caller === undefined) return this.nobody
    const before = this.callers.get(caller)
    if (before) return before
    const known = this.know(caller)
    this.callers.set(caller, known)
    return known
  }

  private know(caller: Caller | undefined): Known {
    const roles = this.roles.filter(({ who }) => who(caller, [])).map(({ name }) => name)
    const claims = claimsOf(principalOf(caller, roles))
    return { roles, claims, verdicts: new Map(), left: this.left.none() }
  }
}

const heldBy = (condition: Condition, isClear: boolean, trial: Trial): Verdict => {
  const { question, known, args } = trial
  trial.given ??= new Given(known.claims, question, question.effort)
  return isClear && args
    ? condition.holdsOver(trial.given, args)
    : condition.holds(trial.given, question.argumentsOf)
}

const asked = (condition: Condition, isClear: boolean, trial: Trial): Verdict => {
  if (!condition.isOfCaller) return heldBy(condition, isClear, trial)
  const { verdicts } = trial.known
  const before = verdicts.get(condition)
  if (before) return before
  const found = heldBy(condition, false, trial)
  // What has failed may have done so for want of effort.
  if (found.kind !== 'failed' && verdicts.size < MAX_KEPT) verdicts.set(condition, found)
  return found
}

/** Of a rule that is about the caller. */
const verdict = (rule: Rule, isClear: boolean, trial: Trial): Verdict['kind'] => {
  if (!rule.condition) return 'holds'
  const found = asked(rule.condition, isClear, trial)
  if (found.kind === 'failed') (trial.failed ??= []).push({ rule: rule.name, why: found.why })
  return found.kind
}

type Decides = (rule: Rule, isClear: boolean, trial: Trial) => boolean

/** The first rule that decides so. No function is made for it: each call asks twice. */
const first = (rules: readonly Open[], decides: Decides, trial: Trial): Rule | undefined => {
  for (const { rule, isClear } of rules) if (decides(rule, isClear, trial)) return rule
  return undefined
}

/** The same of rules that may be about others. */
const firstAbout = (rules: readonly Rule[], decides: Decides, trial: Trial): Rule | undefined => {
  const { question, known } = trial
  for (const rule of rules) {
    if (rule.who(question.caller, known.roles) && decides(rule, false, trial)) return rule
  }
  return undefined
}

const denies: Decides = (rule, isClear, trial) => {
  const found = verdict(rule, isClear, trial)
  return found === 'holds' || found === 'failed'
}

const allows: Decides = (rule, isClear, trial) => {
  const found = verdict(rule, isClear, trial)
  return found === 'holds' || found === 'open'
}
