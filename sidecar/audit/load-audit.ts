// Audit records, where they are configured: else nothing of it is loaded.

import type { Budget } from '../bytes/budget.ts'
import type { AuditParts } from './audit-parts.ts'
import type { Audit } from './start-audit.ts'

/** Rejects where nothing can be put on record, and records must not be lost. */
export const loadAudit = async (parts: AuditParts, budget: Budget): Promise<Audit | undefined> => {
  if (parts.config.audit === undefined) return undefined
  const { startAudit } = await import('./start-audit.ts')
  return startAudit(parts, parts.config.audit, budget)
}
