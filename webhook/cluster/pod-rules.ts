// What the cluster configuration says for every sidecar, where that is not what a sidecar is told.

import * as z from 'zod/mini'
import { auditSchema, tracesSchema } from '../../shared/sidecar-config.ts'

const { checkpointSeconds, unknownBytesPerMinute, callerBytesPerMinute } = auditSchema.shape

/** For the audit records of every pod. */
export const auditRulesSchema = z.strictObject({
  /** An hour at least: each file takes a block of the volume. */
  maxFileAgeSeconds: z.optional(z.int().check(z.gte(3600))),
  checkpointSeconds: z.optional(checkpointSeconds.def.innerType),
  unknownBytesPerMinute: z.optional(unknownBytesPerMinute.def.innerType),
  callerBytesPerMinute,
})
export type AuditRules = Readonly<z.output<typeof auditRulesSchema>>

export const clusterTracesSchema = z.extend(tracesSchema, {
  /** A Secret of each pod's namespace; a name as Kubernetes has it. */
  headersSecret: z.optional(
    z
      .string()
      .check(
        z.maxLength(253),
        z.regex(
          /^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/,
          'must be the name of a Secret (a-z, 0-9, - and .)',
        ),
      ),
  ),
})
export type ClusterTraces = Readonly<z.output<typeof clusterTracesSchema>>
