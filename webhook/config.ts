// The cluster configuration: one YAML document that the platform team owns. Parsed once, every
// error at once, closed by default. What it allows is named `allow…` and is logged at start.

import { parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { PREFIX } from '../shared/annotations.ts'
import { fail, ok, type Result } from '../shared/result.ts'
import { tracesSchema, type SidecarConfig } from '../shared/sidecar-config.ts'
import { unknownKeys } from '../shared/settings.ts'
import { parseQuantity } from './quantity.ts'
import { LEVELS, type Floor } from './settings/floor.ts'
import { readScope, type ScopeTexts } from './settings/scopes.ts'
import { resolveSettings } from './settings/resolve.ts'

/** The sidecar's uid: rare, so that no image is likely to run as it. */
export const DEFAULT_SIDECAR_UID = 21_520

const words = z.array(z.string())
const quantity = z
  .string()
  .refine((text) => parseQuantity(text) !== undefined, 'not a Kubernetes quantity')

const floorSchema = z.strictObject({
  level: z.enum(LEVELS).default('strict'),
  allowAnonymous: z.boolean().default(false),
  allowSharedProcesses: z.boolean().default(false),
  allowEgressObserve: z.boolean().default(false),
  allowKubeApi: z.boolean().default(false),
  allowAdvisoryIsolation: z.boolean().default(false),
  minAuditLevel: z.enum(['metadata', 'request', 'response']).default('metadata'),
  maxSidecarCpu: quantity.default('2'),
  maxSidecarMemory: quantity.default('1Gi'),
  unresolvable: z.enum(['skip', 'deny']).default('deny'),
  exemptContainers: z
    .array(z.strictObject({ name: z.string().min(1), image: z.string().min(1) }))
    .default([]),
})

const schema = z.strictObject({
  sidecar: z.strictObject({
    image: z.string().regex(/^\S+$/, 'an image reference without spaces'),
    imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).optional(),
    imagePullSecrets: words.default([]),
    uid: z.number().int().min(1).max(2_147_483_647).default(DEFAULT_SIDECAR_UID),
  }),
  /** Annotation texts by key without the prefix: the `cluster` scope. */
  settings: z.record(z.string(), z.string()).default({}),
  floor: floorSchema.prefault({}),
  /** Commands of images by digest, then platform (`linux/amd64`), for specs that name none. */
  images: z
    .record(
      z.string().regex(/^sha256:[0-9a-f]{64}$/, 'a digest, sha256: and 64 hexadecimal digits'),
      z.record(
        z.string().regex(/^linux\/[a-z0-9/]+$/, 'a platform such as linux/amd64'),
        z.strictObject({ entrypoint: words.default([]), cmd: words.default([]) }),
      ),
    )
    .default({}),
  /** Where the sidecars send their traces; absent: nowhere. */
  traces: z.optional(tracesSchema),
  /** Namespaces that are never touched, besides what the webhook configuration leaves out. */
  systemNamespaces: words.default([
    'kube-system',
    'kube-public',
    'kube-node-lease',
    'outrigger-system',
  ]),
})

export type ImageCommand = {
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
}
export type ImageIndex = Readonly<Record<string, Readonly<Record<string, ImageCommand>>>>

export interface ClusterConfig {
  readonly sidecar: {
    readonly image: string
    readonly imagePullPolicy?: 'Always' | 'IfNotPresent' | 'Never' | undefined
    readonly imagePullSecrets: readonly string[]
    readonly uid: number
  }
  /** The `cluster` scope, read from `settings`. */
  readonly scope: ScopeTexts
  readonly floor: Floor
  readonly images: ImageIndex
  readonly systemNamespaces: readonly string[]
  readonly traces?: SidecarConfig['traces']
}

const WHERE = 'cluster configuration'

/** Checks a document that has been parsed from YAML or JSON; on failure every error at once. */
export const parseClusterConfig = (document: unknown): Result<ClusterConfig, string[]> => {
  const shape = schema.safeParse(document)
  if (!shape.success) {
    return fail(
      shape.error.issues.map((issue) => `${issue.path.join('.') || 'document'}: ${issue.message}`),
    )
  }
  const { settings, ...rest } = shape.data
  const annotations = Object.entries(settings).map(([word, text]) => [`${PREFIX}${word}`, text])
  const scope = readScope('cluster', WHERE, Object.fromEntries(annotations))
  const { violations } = resolveSettings([scope], rest.floor)
  const unknown = unknownKeys(settings).map((error) => `settings: ${error}`)
  const errors = [...unknown, ...violations.map(({ message }) => message)]
  return errors.length > 0 ? fail(errors) : ok({ ...rest, scope: { ...scope, warnings: [] } })
}

/** Reads the document's text (YAML, of which JSON is a part). */
export const readClusterConfig = (text: string): Result<ClusterConfig, string[]> => {
  const [document, ...more] = parseAllDocuments(text)
  if (more.length > 0)
    return fail([`it holds ${more.length + 1} documents; a configuration is one`])
  const [error] = document?.errors ?? []
  if (error) return fail([error.message.split('\n')[0] ?? 'it is not YAML'])
  return parseClusterConfig(document?.toJS())
}
