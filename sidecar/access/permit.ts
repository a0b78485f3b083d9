// Proof that a call was authorized. Forwarding demands one, and only `authorize` makes them.

import type { Principal } from './principal.ts'
import type { Rights } from './rights.ts'

declare const brand: unique symbol

export interface Permit {
  readonly [brand]: true
  readonly principal: Principal
  /** Until when it holds (monotonic milliseconds): nobody listens longer. */
  readonly untilMs: number
  /** By the tool policy; absent where there is none, and everything is allowed. */
  readonly granted?: Granted | undefined
}

/** What a tool policy has decided, and what it goes on to decide. */
export interface Granted {
  /** The rule that allows the message; undefined where none had to. */
  readonly rule: string | undefined
  readonly roles: readonly string[]
  readonly rights: Rights
}

/** For `authorize` only; the linter lets no other file import it (of the tests, support/principals.ts). */
export const grant = (principal: Principal, untilMs: number, granted?: Granted): Permit =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  ({ principal, untilMs, granted }) as Permit
