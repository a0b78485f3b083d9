// The form of the cluster configuration, and what holds where it says nothing: closed by default. What it allows is named
// `allow…`. Pure.

import { z } from 'zod'
import { issuerSchema, MAX_ISSUERS } from '../../shared/issuers.ts'
import { policySchema } from '../../shared/policy/schema.ts'
import { ANNOTATIONS, type Key } from '../../shared/annotations.ts'
import { variableFault } from '../../shared/caller-environment.ts'
import { destinationOf } from '../../shared/destination.ts'
import { destinationFault } from '../../shared/destination-list.ts'
import { parseValue, wants } from '../../shared/settings.ts'
import { MAX_TRUST_DOMAINS, trustDomainSchema } from '../../shared/trust-domains.ts'
import { registriesWithDefault } from '../images/registries.ts'
import { ASKED, LEVELS } from '../settings/modes.ts'
import { BOUNDED } from '../settings/most.ts'
import { parseQuantity } from '../settings/quantity.ts'
import { toolLocksSchema } from './base-locks.ts'
import { companionsSchema } from './companion-rules.ts'
import { exemptionsSchema } from './exemptions.ts'
import { RULE_IDS, RULES } from '../settings/rule.ts'
import {
  auditRulesSchema,
  clusterEgressSchema,
  clusterMetricsSchema,
  clusterTracesSchema,
} from './pod-rules.ts'
import { namespaceSchema, publicUrlsSchema } from './trust-lists.ts'

/** The sidecar's uid: rare, so that no image is likely to run as it. */
export const DEFAULT_SIDECAR_UID = 21_520

/**
 * `nobody` of almost every image: programs that ask for their own name get one, and it owns nothing.
 * Not 1000, which is a person on many a node, nor 65532, which is somebody in distroless images.
 */
const NOBODY = 65_534

const id = (least: number) => z.number().int().min(least).max(2_147_483_647)
const words = z.array(z.string())
const quantity = z
  .string()
  .refine(
    (text) => parseQuantity(text) !== undefined,
    'must be a Kubernetes quantity such as 500m or 1Gi',
  )

const amounts = z.strictObject({ cpu: quantity.optional(), memory: quantity.optional() })

/** What `baseline` asks for holds everywhere. */
const EXCEPTED = RULE_IDS.filter((id) => RULES[id].level === 'strict')
const MAX_EXCEPTIONS = 100

const exceptionSchema = z.strictObject({
  rules: z.array(z.enum(EXCEPTED)).min(1),
  namespaces: z.array(z.string().min(1)).min(1).max(1000),
})

const textOf = (key: Key) =>
  z.string().refine((text) => parseValue(key, text).ok, `must be ${wants(key)}`)

const mostSchema = z.strictObject(
  Object.fromEntries(BOUNDED.map((key) => [key, textOf(key).optional()])),
)

/** By namespace, or `*`. */
const egressSchema = z.record(
  namespaceSchema.min(1).max(63),
  z
    .array(
      z
        .string()
        .refine((text) => destinationOf(text) !== undefined, {
          error: ({ input }) =>
            typeof input === 'string' ? destinationFault(input) : 'must be a destination',
          abort: true,
        })
        .refine(
          (text) => destinationOf(text)?.local === undefined,
          'must be a destination, and no forward: that is listed by what it leads to',
        ),
    )
    .max(256),
)

const callerVariable = z.string().superRefine((name, context) => {
  const message = variableFault(name)
  if (message !== undefined) context.addIssue({ code: 'custom', message })
})

export const floorSchema = z.strictObject({
  issuers: z.array(issuerSchema).max(MAX_ISSUERS).default([]),
  trustDomains: z.array(trustDomainSchema).max(MAX_TRUST_DOMAINS).default([]),
  publicUrls: publicUrlsSchema.default({}),
  basePolicy: z.optional(policySchema),
  requireToolPolicy: z.boolean().default(false),
  toolLocks: toolLocksSchema.default([]),
  requireToolLock: z.boolean().default(false),
  enforce: z.enum(LEVELS).default('baseline'),
  warn: z.enum(ASKED).default('off'),
  audit: z.enum(ASKED).default('off'),
  allowBreakGlass: z.array(z.string().min(1)).max(100).default([]),
  allowLooserNamespaces: z.array(z.string().min(1)).max(100).default([]),
  allowOptOut: z.boolean().default(false),
  allowExceptions: z.array(exceptionSchema).max(MAX_EXCEPTIONS).default([]),
  allowAnonymous: z.boolean().default(false),
  allowSharedProcesses: z.boolean().default(false),
  allowKubeApi: z.boolean().default(false),
  allowSharedIdentity: z.boolean().default(false),
  allowForwardHeaders: z.boolean().default(false),
  allowCallerVariables: z.array(callerVariable).max(64).default([]),
  allowOpenPaths: z.boolean().default(false),
  allowCarriedPorts: z.boolean().default(false),
  allowLoopbackIssuers: z.boolean().default(false),
  allowAdvisoryIsolation: z.boolean().default(false),
  allowAdvisoryEgress: z.boolean().default(false),
  allowAuditDrop: z.boolean().default(false),
  most: mostSchema.prefault({}),
  egress: egressSchema.default({}),
  egressMode: z.enum(ANNOTATIONS['egress-mode'].values).optional(),
  minAuditLevel: z.enum(['metadata', 'request', 'response']).default('metadata'),
  maxSidecarCpu: quantity.default('2'),
  maxSidecarMemory: quantity.default('1Gi'),
  maxAuditSize: z
    .string()
    .refine((text) => parseValue('audit-size', text).ok, `must be ${wants('audit-size')}`)
    .default('1024Mi'),
  unresolvable: z.enum(['skip', 'deny']).default('deny'),
  resolveImages: z.boolean().default(false),
  ownServiceAccounts: words.default([]),
  exemptContainers: exemptionsSchema.default([]),
})

export const configSchema = z.strictObject({
  sidecar: z.strictObject({
    image: z
      .string()
      .refine((text) => /^\S+$/.test(text), 'must be an image reference without spaces'),
    imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).optional(),
    imagePullSecrets: words.default([]),
    uid: id(1).default(DEFAULT_SIDECAR_UID),
  }),
  /** Whom a container runs as whose spec does not say and whose image's user is root or unknown; the limits of a server that has none. */
  server: z
    .strictObject({
      defaultUid: id(1).default(NOBODY),
      defaultGid: id(0).default(NOBODY),
      limits: amounts.prefault({}),
      requests: amounts.prefault({}),
    })
    .prefault({}),
  /** Annotation texts by key without the prefix: the `cluster` scope. */
  settings: z.record(z.string(), z.string()).default({}),
  floor: floorSchema.prefault({}),
  /** Registries that may be asked for images; never by admission. */
  registries: registriesWithDefault,
  /** What holds for the audit records of every pod, besides settings. */
  audit: z.optional(auditRulesSchema),
  /** Where the sidecars send their traces; absent: nowhere. */
  traces: z.optional(clusterTracesSchema),
  /** Where they send their metrics; absent: nowhere, and whoever scrapes them has them. */
  metrics: z.optional(clusterMetricsSchema),
  /** How they go out for their servers; absent: by themselves, and as much as they like. */
  egress: z.optional(clusterEgressSchema),
  /** Of the NetworkPolicies and Services beside injected workloads; absent: there are none. */
  companions: z.optional(companionsSchema),
  /** Namespaces that are never touched, besides what the webhook configuration leaves out. */
  systemNamespaces: words.default([
    'kube-system',
    'kube-public',
    'kube-node-lease',
    'outrigger-system',
  ]),
})
