// The cluster configuration: one YAML document that the platform team owns. Parsed once, every
// error at once, closed by default. What it allows is named `allow…` and is logged at start.

import { isKey, PREFIX } from '../../shared/annotations.ts'
import { EMPTY_INDEX, type ImageIndex } from '../../shared/image-index.ts'
import { isObject } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { placedWords } from '../../shared/placed-fault.ts'
import { faultWords, schemaFaults, type SchemaFault } from '../../shared/schema-words.ts'
import { placed, readPlaced } from '../../shared/yaml-places.ts'
import { unknownKeys } from '../../shared/settings.ts'
import type { Registries } from '../images/registries.ts'
import type { Floor } from '../settings/floor.ts'
import type { CompanionRules } from './companion-rules.ts'
import { toolLockFaults } from './base-locks.ts'
import { basePolicyFaults } from './base-policy.ts'
import { configSchema, floorSchema } from './config-schema.ts'
import {
  NO_COLLECTOR,
  NO_METRICS_COLLECTOR,
  recordsEndpoint,
  type AuditRules,
  type ClusterEgress,
  type ClusterMetrics,
  type ClusterTraces,
} from './pod-rules.ts'
import { issuerFaults, listedDomainFaults } from './trust-lists.ts'
import { CLUSTER, readScope, type ScopeTexts } from '../settings/scopes.ts'
import { resolveSettings } from '../settings/resolve.ts'

/** Of CPU and memory, as Kubernetes writes them. */
interface Amounts {
  readonly cpu?: string | undefined
  readonly memory?: string | undefined
}

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
  readonly server: {
    readonly defaultUid: number
    readonly defaultGid: number
    /** What a server's container gets that has no limit of its own; a resource that is absent stays unlimited. */
    readonly limits: Amounts
    /** What it asks for then, where it does not say; absent: as much as its limit. */
    readonly requests: Amounts
  }
  /** A document of its own, that changes while the configuration does not: whoever renders adds it. */
  readonly images: ImageIndex
  readonly registries: Registries
  readonly systemNamespaces: readonly string[]
  readonly audit?: AuditRules | undefined
  readonly traces?: ClusterTraces | undefined
  readonly metrics?: ClusterMetrics | undefined
  readonly egress?: ClusterEgress | undefined
  readonly companions?: CompanionRules | undefined
  /** Services find a port by its name on a native sidecar, too: whoever renders in a cluster knows. */
  readonly findsSidecarPorts?: boolean
}

/** The settings as far as they are texts; what is none the schema has told. */
const settingTexts = (document: unknown): Readonly<Record<string, string>> => {
  const settings = isObject(document) ? document['settings'] : undefined
  if (!isObject(settings)) return {}
  const texts = Object.entries(settings).flatMap(([word, text]) =>
    typeof text === 'string' ? [[word, text] as const] : [],
  )
  return Object.fromEntries(texts)
}

interface Settings {
  readonly scope: ScopeTexts
  readonly faults: readonly SchemaFault[]
}

/** What only a floor that is itself right can say. */
const BY_FLOOR: ReadonlySet<string> = new Set(['floor', 'not-listed'])

/** What is wrong with the settings; by the floor only where that itself is right. */
const readSettings = (document: unknown, floor: Floor | undefined): Settings => {
  const texts = settingTexts(document)
  const annotations = Object.entries(texts).map(([word, text]) => [`${PREFIX}${word}`, text])
  const scope = readScope('cluster', CLUSTER, Object.fromEntries(annotations))
  const { violations } = resolveSettings([scope], floor ?? floorSchema.parse({}))
  const told = violations.filter(({ code }) => floor !== undefined || !BY_FLOOR.has(code))
  const unknown = Object.keys(texts).filter((word) => !isKey(word))
  return {
    scope: { ...scope, warnings: [] },
    faults: [
      ...unknownKeys(texts).map((message, index) => ({
        path: ['settings', unknown[index] ?? ''],
        message,
      })),
      ...told.map(({ message, key = '' }) => ({
        path: ['settings', key],
        message: message.replace(`${CLUSTER}: `, ''),
      })),
    ],
  }
}

/** Whoever sends records or metrics has to know where. */
const collectorFaults = (
  { audit, traces, metrics }: Pick<ClusterConfig, 'audit' | 'traces' | 'metrics'>,
  { texts }: ScopeTexts,
): readonly SchemaFault[] => {
  const isLost = metrics !== undefined && (metrics.endpoint ?? traces?.endpoint) === undefined
  const lost = isLost ? [{ path: ['metrics'], message: NO_METRICS_COLLECTOR }] : []
  if (recordsEndpoint(audit, traces) !== undefined) return lost
  return [
    ...lost,
    ...(audit?.otlp ? [{ path: ['audit', 'otlp'], message: NO_COLLECTOR }] : []),
    ...(texts.get('audit-sink') === 'otlp'
      ? [{ path: ['settings', 'audit-sink'], message: NO_COLLECTOR }]
      : []),
  ]
}

/** Checks a document that has been parsed from YAML or JSON; on failure every fault at once. */
const checkDocument = (document: unknown): Result<ClusterConfig, readonly SchemaFault[]> => {
  const shape = configSchema.safeParse(document)
  const { scope, faults } = readSettings(document, shape.data?.floor)
  if (!shape.success) {
    return fail([...schemaFaults(configSchema, document, shape.error.issues), ...faults])
  }
  const { settings: _settings, ...rest } = shape.data
  const lists = [
    ...issuerFaults(rest.floor),
    ...listedDomainFaults(rest.floor),
    ...basePolicyFaults(rest.floor),
    ...toolLockFaults(rest.floor),
  ]
  const isShared = rest.server.defaultUid === rest.sidecar.uid
  const message = `${rest.sidecar.uid} is the sidecar's uid`
  const all = [
    ...faults,
    ...lists,
    ...collectorFaults(rest, scope),
    ...(isShared ? [{ path: ['server', 'defaultUid'], message }] : []),
  ]
  return all.length > 0 ? fail(all) : ok({ ...rest, images: EMPTY_INDEX, scope })
}

/** The same, its faults as sentences. */
export const parseClusterConfig = (document: unknown): Result<ClusterConfig, string[]> => {
  const checked = checkDocument(document)
  return checked.ok ? checked : fail(checked.error.map(faultWords))
}

/** A document that is something else altogether, of which no single fault would tell. */
const misplacedDocument = (value: unknown): string | undefined => {
  if (value === undefined || value === null) {
    return 'it is empty; a cluster configuration names at least the image of the sidecar: `sidecar: { image: NAME }`'
  }
  const kind = isObject(value) && 'apiVersion' in value ? value['kind'] : undefined
  return typeof kind === 'string'
    ? `it is a ${kind}, and the cluster configuration itself is wanted: what stands under its data`
    : undefined
}

/** Reads the document's text (YAML, of which JSON is a part). */
export const readClusterConfig = (text: string): Result<ClusterConfig, string[]> => {
  const document = readPlaced(text)
  if (!document.ok) return fail(document.error.map(placedWords))
  const { value } = document.value
  const misplaced = misplacedDocument(value)
  if (misplaced !== undefined) return fail([misplaced])
  const checked = checkDocument(value)
  return checked.ok ? checked : fail(placed(checked.error, document.value).map(placedWords))
}
