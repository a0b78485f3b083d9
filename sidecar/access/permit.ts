// Proof that a call was authorized. Forwarding demands one, and only `authorize` makes them.

import type { Principal } from './principal.ts'

declare const brand: unique symbol

export interface Permit {
  readonly [brand]: true
  readonly principal: Principal
}

/** For `authorize` only; the linter lets no other file import it (of the tests, support/principals.ts). */
export const grant = (principal: Principal): Permit =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  ({ principal }) as Permit
