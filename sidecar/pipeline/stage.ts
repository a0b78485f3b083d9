// What a stage is: it looks at an exchange and at what the stages before it have found out, adds its own part, and
// answers with the fault that ends the way, or nothing.

import type { Permit } from '../access/permit.ts'
import type { Principal } from '../access/principal.ts'
import type { Ask } from '../conversation/ask.ts'
import type { Body } from '../http/body.ts'
import type { Exchange } from '../http/exchange.ts'
import type { Fault } from '../mcp/faults.ts'

/** An exchange on its way through the stages. */
export interface Passage extends Exchange {
  from?: string | undefined
  /** From `body` to the end; its bytes to `classify` only. */
  body: Body | undefined
  /** The exact JSON text of the request's id, once that has been read. */
  idText: string | undefined
  /** After `authenticate`. */
  principal: Principal | undefined
  /** Until when it is known to be that (monotonic milliseconds). */
  untilMs: number
  /** After `classify`. */
  ask: Ask | undefined
  /** After `authorize`. */
  permit: Permit | undefined
}

export type Stage = (passage: Passage) => Fault | undefined | Promise<Fault | undefined>

/** The way ends, and somebody else answers. */
export const AWAY = 'away'
export type Away = typeof AWAY

/** A stage that may also give the exchange to somebody else. */
export type Fork = (
  passage: Passage,
) => Fault | Away | undefined | Promise<Fault | Away | undefined>
