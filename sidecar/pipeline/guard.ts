// Rate limits and breakers: not built yet, and nothing pretends they are.

import type { Stage } from './stage.ts'

export const guard: Stage = () => undefined
