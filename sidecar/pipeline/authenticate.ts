// Who calls, by the head alone: everybody with `auth: none`, else whom `identity` has verified. Fails closed: who cannot be
// verified is nobody.

import { ANONYMOUS } from '../access/principal.ts'
import type { CallerOf, Found } from '../identity/callers.ts'
import type { Fault } from '../mcp/faults.ts'
import { askedBy } from './resource-metadata.ts'
import type { Passage, Stage } from './stage.ts'

const anybody: Stage = (passage) => {
  passage.principal = ANONYMOUS
  return undefined
}

const take = (passage: Passage, found: Found): Fault | undefined => {
  if (!found.ok) return found.error
  const { principal, untilMs, nonce } = found.value
  passage.principal = principal
  passage.untilMs = untilMs
  if (nonce !== undefined) passage.reply.header('dpop-nonce', nonce)
  return undefined
}

const verified =
  (callerOf: CallerOf): Stage =>
  (passage) => {
    const found = callerOf(passage, askedBy)
    return found instanceof Promise
      ? found.then((later) => take(passage, later))
      : take(passage, found)
  }

/** Without it, everybody is let in: whoever wires it has read `auth: none`. */
export const authenticate = (callerOf: CallerOf | undefined): Stage =>
  callerOf ? verified(callerOf) : anybody
