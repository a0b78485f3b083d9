// What the caller may do: today everything, once it is known who calls. The only maker of permits.

import { grant } from '../access/permit.ts'
import { fault } from '../mcp/faults.ts'
import type { Stage } from './stage.ts'

export const authorize: Stage = (passage) => {
  if (passage.principal === undefined) return fault('unauthenticated', 'nobody is known to call')
  passage.permit = grant(passage.principal)
  return undefined
}
