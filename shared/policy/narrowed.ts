// A tool policy within another: the base policy, which the platform team fixes, and the workload's own, which can only
// narrow it. Both are asked, and either says no. Pure.

import type { Caller } from './caller.ts'
import { letsThrough, type Decision, type Policy, type Question } from './decide.ts'
import type { Kind } from './schema.ts'

/** What decides: a policy, or two of them as one. */
export type Decider = Pick<Policy, 'isDryRun' | 'decide' | 'refusal' | 'blocked' | 'mayUseAny'>

/** Before the names of the base policy's rules and roles, which no rule's own name can hold. */
export const BASE_PREFIX = 'base:'

const ofBase = (decision: Decision): Decision =>
  decision.rule === undefined ? { ...decision, isOfBase: true } : decision

export class Narrowed implements Decider {
  /** Where either holds, it is none. */
  readonly isDryRun: boolean
  private readonly base: Policy
  private readonly own: Policy

  constructor(base: Policy, own: Policy) {
    this.isDryRun = base.isDryRun && own.isDryRun
    this.base = base
    this.own = own
  }

  /** What keeps it back; else what would, if it were no dry run; else what the workload's own says. The base goes first. */
  decide(question: Question): Decision {
    const base = this.base.decide(question)
    if (!letsThrough(base)) return ofBase(base)
    const own = this.own.decide(question)
    return letsThrough(own) && !base.isAllowed ? ofBase(base) : own
  }

  /** About what nobody can tell. */
  refusal(caller: Caller | undefined): Decision {
    return (this.base.isDryRun ? this.own : this.base).refusal(caller)
  }

  blocked(caller: Caller | undefined): string | undefined {
    return this.base.blocked(caller) ?? this.own.blocked(caller)
  }

  mayUseAny(caller: Caller | undefined, kind: Kind): boolean {
    return this.base.mayUseAny(caller, kind) && this.own.mayUseAny(caller, kind)
  }
}
