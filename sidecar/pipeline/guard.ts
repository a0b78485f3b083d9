// Whether the caller's requests may go on now: limits and breakers, where any are set.

import type { Principal } from '../access/principal.ts'
import { messagesOf, type Asked } from '../conversation/ask.ts'
import type { Guards } from '../guards/guards.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import type { Passage, Stage } from './stage.ts'

const admitOne = (guards: Guards, caller: Principal, asked: Asked): Fault | undefined => {
  const { message } = asked
  if (message.kind !== 'request') return undefined
  const admitted = guards.admit(caller, message)
  if (!admitted.ok) return admitted.error
  asked.ticket = admitted.value
  return undefined
}

const admit = (guards: Guards, { permit, ask }: Passage): Fault | undefined => {
  if (permit === undefined) return fault('internal', 'no permit')
  const { principal } = permit
  if (ask?.kind === 'message') return admitOne(guards, principal, ask)
  // What of a batch is denied goes nowhere, and counts no more than it does alone.
  const asked = messagesOf(ask).filter(
    ({ message, denied }) => message.kind === 'request' && denied === undefined,
  )
  const requests = asked.flatMap(({ message }) => (message.kind === 'request' ? [message] : []))
  if (requests.length === 0) return undefined
  const admitted = guards.admitAll(principal, requests)
  if (!admitted.ok) return admitted.error
  for (const [index, ticket] of admitted.value.entries()) {
    const one = asked[index]
    if (one) one.ticket = ticket
  }
  return undefined
}

export const guard = (guards: Guards | undefined): Stage =>
  guards ? (passage) => admit(guards, passage) : () => undefined
