// What the cluster configuration says for every sidecar, where that is not what a sidecar is told.

import * as z from 'zod/mini'
import { parsePath } from '../../shared/json-path.ts'
import {
  auditSchema,
  collectorCa,
  egressSchema,
  metricsSchema,
  otlpEndpoint,
  tracesSchema,
} from '../../shared/sidecar-config.ts'

const { checkpointSeconds, unknownBytesPerMinute, callerBytesPerMinute } = auditSchema.shape

const name = z.string().check(z.minLength(1), z.maxLength(256))
/** No sidecar would start with another. */
const jsonPath = name.check(
  z.refine(
    (text) => parsePath(text).ok,
    'must be a JSON path such as $.params.arguments.card or $.result.structuredContent.rows[*].iban',
  ),
)

/** A name as Kubernetes has it, of an object of each pod's namespace. */
const nameOf = (what: string) =>
  z.optional(
    z
      .string()
      .check(
        z.maxLength(253),
        z.regex(
          /^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/,
          `must be the name of ${what} (a-z, 0-9, - and .)`,
        ),
      ),
  )
const headersSecret = nameOf('a Secret')

/** For the audit records of every pod. */
export const auditRulesSchema = z.strictObject({
  /** An hour at least: each file takes a block of the volume. */
  maxFileAgeSeconds: z.optional(z.int().check(z.gte(3600))),
  checkpointSeconds: z.optional(checkpointSeconds.def.innerType),
  unknownBytesPerMinute: z.optional(unknownBytesPerMinute.def.innerType),
  callerBytesPerMinute,
  /** The volume of `audit-sink: file`, in the place of one that goes with its pod: each pod has a folder in it. */
  claim: nameOf('a PersistentVolumeClaim'),
  /** The collector of `audit-sink: otlp`; given, it is told checkpoints of files, too. */
  otlp: z.optional(
    z.strictObject({ endpoint: z.optional(otlpEndpoint), ca: collectorCa, headersSecret }),
  ),
  /** Besides what names, schemas and shapes say. */
  redact: z.optional(
    z.strictObject({
      keys: z.optional(z.array(name).check(z.maxLength(256))),
      paths: z.optional(z.array(jsonPath).check(z.maxLength(256))),
    }),
  ),
})
export type AuditRules = Readonly<z.output<typeof auditRulesSchema>>

export const clusterTracesSchema = z.extend(tracesSchema, { headersSecret })
export type ClusterTraces = Readonly<z.output<typeof clusterTracesSchema>>

const { parentProxy, bytesPerSession } = egressSchema.shape
const { url } = parentProxy.def.innerType.shape

/** How sidecars go out for their servers. */
export const clusterEgressSchema = z.strictObject({
  /** A company's own proxy. */
  parentProxy: z.optional(
    z.strictObject({
      url,
      credentialsSecret: nameOf('a Secret'),
      /** By which its certificate is believed, where `url` is https. */
      caConfigMap: nameOf('a ConfigMap'),
    }),
  ),
  bytesPerSession,
})
export type ClusterEgress = Readonly<z.output<typeof clusterEgressSchema>>

export const clusterMetricsSchema = z.extend(metricsSchema, { headersSecret })
export type ClusterMetrics = Readonly<z.output<typeof clusterMetricsSchema>>

/** The collector for records: their own, else that for traces; undefined where neither is named. */
export const recordsEndpoint = (
  audit: AuditRules | undefined,
  traces: ClusterTraces | undefined,
): string | undefined => audit?.otlp?.endpoint ?? traces?.endpoint

/** The authorities by which that collector is believed: their own, or those of traces where it is the same. */
export const recordsCa = (
  audit: AuditRules | undefined,
  traces: ClusterTraces | undefined,
): string | undefined =>
  audit?.otlp?.ca ?? (audit?.otlp?.endpoint === undefined ? traces?.ca : undefined)

export const NO_COLLECTOR =
  'no collector is named: audit.otlp.endpoint of the cluster configuration does, or traces.endpoint'
export const NO_METRICS_COLLECTOR = 'no collector is named: endpoint does, or traces.endpoint'
