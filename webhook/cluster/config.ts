// The cluster configuration: one YAML document that the platform team owns. Parsed once, every
// error at once, closed by default. What it allows is named `allow…` and is logged at start.

import { parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { PREFIX } from '../../shared/annotations.ts'
import { EMPTY_INDEX, type ImageIndex } from '../../shared/image-index.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { tracesSchema, type SidecarConfig } from '../../shared/sidecar-config.ts'
import { unknownKeys } from '../../shared/settings.ts'
import { registriesWithDefault, type Registries } from '../images/registries.ts'
import { parseQuantity } from '../settings/quantity.ts'
import { LEVELS, type Floor } from '../settings/floor.ts'
import { readScope, type ScopeTexts } from '../settings/scopes.ts'
import { resolveSettings } from '../settings/resolve.ts'

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
  .refine((text) => parseQuantity(text) !== undefined, 'not a Kubernetes quantity')

const floorSchema = z.strictObject({
  level: z.enum(LEVELS).default('strict'),
  allowAnonymous: z.boolean().default(false),
  allowSharedProcesses: z.boolean().default(false),
  allowEgressObserve: z.boolean().default(false),
  allowKubeApi: z.boolean().default(false),
  allowForwardHeaders: z.boolean().default(false),
  allowOpenPaths: z.boolean().default(false),
  allowCarriedPorts: z.boolean().default(false),
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
    uid: id(1).default(DEFAULT_SIDECAR_UID),
  }),
  /** Whom a container runs as whose spec does not say and whose image's user is root or unknown. */
  server: z
    .strictObject({
      defaultUid: id(1).default(NOBODY),
      defaultGid: id(0).default(NOBODY),
    })
    .prefault({}),
  /** Annotation texts by key without the prefix: the `cluster` scope. */
  settings: z.record(z.string(), z.string()).default({}),
  floor: floorSchema.prefault({}),
  /** Registries that may be asked for images; never by admission. */
  registries: registriesWithDefault,
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
  readonly server: { readonly defaultUid: number; readonly defaultGid: number }
  /** A document of its own, that changes while the configuration does not: whoever renders adds it. */
  readonly images: ImageIndex
  readonly registries: Registries
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
  const isShared = rest.server.defaultUid === rest.sidecar.uid
  const errors = [
    ...unknown,
    ...violations.map(({ message }) => message),
    ...(isShared ? [`server.defaultUid: ${rest.sidecar.uid} is the sidecar's uid`] : []),
  ]
  return errors.length > 0
    ? fail(errors)
    : ok({ ...rest, images: EMPTY_INDEX, scope: { ...scope, warnings: [] } })
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
