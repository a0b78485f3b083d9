// Who calls, by the head alone. The only configuration that starts is `auth: none` (the programs refuse the others until they are built).

import { ANONYMOUS } from '../access/principal.ts'
import type { Stage } from './stage.ts'

export const authenticate: Stage = (passage) => {
  passage.principal = ANONYMOUS
  return undefined
}
