// What the caller may do: everything. The only maker of permits.

import { grant } from '../access/permit.ts'
import { fault } from '../mcp/faults.ts'
import type { Stage } from './stage.ts'

export const authorize: Stage = (passage) => {
  const { principal, untilMs } = passage
  if (principal === undefined) return fault('unauthenticated', 'nobody is known to call')
  passage.permit = grant(principal, untilMs)
  return undefined
}
