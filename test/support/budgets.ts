// Budgets for tests whose subject is something else: there is always room.

import { Budget } from '../../sidecar/bytes/budget.ts'

export const aBudget = (): Budget => new Budget(256 * 1024 * 1024)
