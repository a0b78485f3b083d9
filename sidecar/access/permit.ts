// Proof that a call was authorized. Forwarding demands one, and only `authorize` makes them.

import type { Principal } from './principal.ts'

declare const brand: unique symbol

export interface Permit {
  readonly [brand]: true
  readonly principal: Principal
  /** Until when it holds (monotonic milliseconds): nobody listens longer. */
  readonly untilMs: number
}

/** For `authorize` only; the linter lets no other file import it (of the tests, support/principals.ts). */
export const grant = (principal: Principal, untilMs: number): Permit =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  ({ principal, untilMs }) as Permit
