// What the caller may do: everything, or what the tool policy allows. The only maker of permits. Fails closed: of a batch
// nothing goes on that was not decided by itself.

import { grant, type Granted } from '../access/permit.ts'
import type { Principal } from '../access/principal.ts'
import type { Ask, Asked } from '../conversation/ask.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import type { Gate, Judged } from '../policy/gate.ts'
import type { Stage } from './stage.ts'

const unknown = (): Fault => fault('unauthenticated', 'nobody is known to call')

const everything: Stage = (passage) => {
  const { principal, untilMs } = passage
  if (principal === undefined) return unknown()
  passage.permit = grant(principal, untilMs)
  return undefined
}

/** Each message of a batch by itself: what is denied is answered so, and the others go on. */
const judgeBatch = (
  gate: Gate,
  principal: Principal,
  items: readonly Asked[],
): readonly Asked[] => {
  const effort = { spent: 0 }
  return items.map((asked) => {
    const { fault: denied } = gate.judge(principal, asked.message, effort)
    return denied ? { ...asked, denied } : asked
  })
}

/** What is decided about all that is asked; of a batch no more than that its caller may call at all. */
const judge = (gate: Gate, principal: Principal, ask: Ask | undefined): Judged => {
  if (ask?.kind === 'message') return gate.judge(principal, ask.message)
  const refused = gate.admit(principal)
  return refused ? { decision: undefined, fault: refused } : { decision: undefined }
}

const byPolicy =
  (gate: Gate): Stage =>
  (passage) => {
    const { principal, untilMs, ask } = passage
    if (principal === undefined) return unknown()
    const { decision, fault: denied } = judge(gate, principal, ask)
    if (denied) return denied
    if (ask?.kind === 'batch') {
      passage.ask = { kind: 'batch', items: judgeBatch(gate, principal, ask.items) }
    }
    const rights = gate.rightsOf(principal)
    const granted: Granted = { rule: decision?.rule, roles: decision?.roles ?? [], rights }
    passage.permit = grant(principal, untilMs, granted)
    return undefined
  }

/** Without a gate there is no policy. */
export const authorize = (gate: Gate | undefined): Stage => (gate ? byPolicy(gate) : everything)
