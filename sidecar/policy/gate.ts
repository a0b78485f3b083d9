// The tool policy at work: each message of a client's is decided by the policy that holds at that moment, and so is what its
// session lives by. Where there is none, nobody makes one of these.

import type { Effort } from '../../shared/policy/condition.ts'
import { letsThrough, type Decision, type Question } from '../../shared/policy/decide.ts'
import type { Decider } from '../../shared/policy/narrowed.ts'
import type { Target } from '../../shared/policy/rules.ts'
import type { Kind } from '../../shared/policy/schema.ts'
import { ok } from '../../shared/result.ts'
import type { Principal } from '../access/principal.ts'
import type { Rights } from '../access/rights.ts'
import { blockedFault, fault, type Fault } from '../mcp/faults.ts'
import type { Message } from '../mcp/message.ts'
import { filterCapabilities, hasCapabilities } from './capabilities.ts'
import { filterListing, listingOf } from './listing.ts'
import { asksOf, type Asks } from './questions.ts'

/** What became of a message. */
export interface Judged {
  /** That of what is denied, else of what a dry run would deny, else of the last thing; undefined of a client's answer. */
  readonly decision: Decision | undefined
  /** Absent where it goes on. */
  readonly fault?: Fault
}

export interface GateOptions {
  /** The policy that holds now. */
  readonly policy: () => Decider
  /** Takes note of a decision about a message. */
  readonly onDecision: (decision: Decision) => void
}

/**
 * Names the rule, and nothing of what was asked with. A request has its answer; what is not accepted and has none is an
 * HTTP error (Streamable HTTP, sending messages).
 */
const denied = ({ rule, isOfBase, failed }: Decision, { kind }: Message): Fault => {
  const [first] = failed
  const none = `no rule ${isOfBase ? 'of the base policy ' : ''}allows it`
  const why = rule === undefined ? none : `by the rule ${rule}`
  const condition =
    first === undefined ? '' : `; the condition of ${first.rule} could not be decided`
  return fault(
    kind === 'request' ? 'denied' : 'forbidden',
    `the tool policy denies this: ${why}${condition}`,
    {
      data: rule === undefined ? {} : { rule },
    },
  )
}

const unclear = (): Fault =>
  fault(
    'invalid-params',
    'a tool policy has to decide, and what this asks for has no name, or could be read in two ways',
  )

type Asking = Pick<Question, 'caller' | 'method' | 'effort'>

/** What keeps it back; else what first would, if it were no dry run; else what is said of the last. */
const together = (
  policy: Decider,
  all: readonly Asks[],
  { caller, method, effort }: Asking,
): Decision | undefined => {
  let told: Decision | undefined
  for (const { target, argumentsOf } of all) {
    const decision = policy.decide({ caller, method, target, argumentsOf, effort })
    if (!letsThrough(decision)) return decision
    if (told?.isAllowed !== false) told = decision
  }
  return told
}

export class Gate {
  private readonly options: GateOptions
  private readonly rights = new WeakMap<Principal, Rights>()

  constructor(options: GateOptions) {
    this.options = options
  }

  /** Who is denied everything; a client's GET and DELETE are decided by this alone. */
  admit({ identity }: Principal): Fault | undefined {
    const rule = this.options.policy().blocked(identity)
    return rule === undefined ? undefined : blockedFault(rule)
  }

  /** `effort`: what is spent already on the batch that it came in. */
  judge(principal: Principal, message: Message, effort: Effort = { spent: 0 }): Judged {
    const refused = this.admit(principal)
    if (refused) return { decision: undefined, fault: refused }
    if (message.kind === 'response') return { decision: undefined }
    const all = asksOf(message)
    if (!all) return this.undecidable(principal)
    const asking = { caller: principal.identity, method: message.method, effort }
    const decision = together(this.options.policy(), all, asking)
    if (decision) this.options.onDecision(decision)
    return decision === undefined || letsThrough(decision)
      ? { decision }
      : { decision, fault: denied(decision, message) }
  }

  private undecidable({ identity }: Principal): Judged {
    const decision = this.options.policy().refusal(identity)
    this.options.onDecision(decision)
    return decision.isDryRun ? { decision } : { decision, fault: unclear() }
  }

  /** What a caller may while its session lives; the same for the same principal. */
  rightsOf(principal: Principal): Rights {
    const before = this.rights.get(principal)
    if (before) return before
    const rights = this.makeRights(principal)
    this.rights.set(principal, rights)
    return rights
  }

  private makeRights(principal: Principal): Rights {
    const may = (target: Target, method: string): boolean =>
      letsThrough(
        this.options.policy().decide({
          caller: principal.identity,
          method,
          target,
          argumentsOf: undefined,
        }),
      )
    const mayAny = (kind: Kind): boolean =>
      this.options.policy().mayUseAny(principal.identity, kind)
    return {
      mayRead: (uri) => may({ kind: 'resources', name: uri }, 'resources/read'),
      mayBeAsked: (method) => may({ kind: 'methods', name: method }, method),
      filterOf: (method) => {
        if (!listingOf(method) && !hasCapabilities(method)) return undefined
        return (answer) => {
          if (this.options.policy().isDryRun) return ok(answer)
          return listingOf(method)
            ? filterListing(method, answer, may)
            : filterCapabilities(method, answer, mayAny)
        }
      },
      blockedBy: () => this.options.policy().blocked(principal.identity),
    }
  }
}
