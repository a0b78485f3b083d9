// Audit records among the lines of a sidecar's log.

import { recordSchema, type AuditRecord } from '../../shared/audit/record.ts'

export const recordsIn = (text: string): readonly AuditRecord[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{"v":1,'))
    .map((line) => recordSchema.parse(JSON.parse(line)))
