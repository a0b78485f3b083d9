// The cluster configuration: one YAML document that the platform team owns. Parsed once, every
// error at once, closed by default. What it allows is named `allow…` and is logged at start.

import { isMap, isScalar, LineCounter, parseAllDocuments, type Document } from 'yaml'
import { z } from 'zod'
import { isKey, PREFIX } from '../../shared/annotations.ts'
import { EMPTY_INDEX, type ImageIndex } from '../../shared/image-index.ts'
import { isObject } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { faultWords, schemaFaults, type SchemaFault } from '../../shared/schema-words.ts'
import { yamlWords } from '../../shared/yaml-words.ts'
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
  .refine(
    (text) => parseQuantity(text) !== undefined,
    'must be a Kubernetes quantity such as 500m or 1Gi',
  )

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
    image: z
      .string()
      .refine((text) => /^\S+$/.test(text), 'must be an image reference without spaces'),
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
  /** Services find a port by its name on a native sidecar, too: whoever renders in a cluster knows. */
  readonly findsSidecarPorts?: boolean
}

const WHERE = 'cluster configuration'

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

/** What is wrong with the settings; by the floor only where that itself is right. */
const readSettings = (document: unknown, floor: Floor | undefined): Settings => {
  const texts = settingTexts(document)
  const annotations = Object.entries(texts).map(([word, text]) => [`${PREFIX}${word}`, text])
  const scope = readScope('cluster', WHERE, Object.fromEntries(annotations))
  const { violations } = resolveSettings([scope], floor ?? floorSchema.parse({}))
  const told = violations.filter(({ code }) => floor !== undefined || code !== 'floor')
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
        message: message.replace(`${WHERE}: `, ''),
      })),
    ],
  }
}

/** Checks a document that has been parsed from YAML or JSON; on failure every fault at once. */
const checkDocument = (document: unknown): Result<ClusterConfig, readonly SchemaFault[]> => {
  const shape = schema.safeParse(document)
  const { scope, faults } = readSettings(document, shape.data?.floor)
  if (!shape.success) {
    return fail([...schemaFaults(schema, document, shape.error.issues), ...faults])
  }
  const { settings: _settings, ...rest } = shape.data
  const isShared = rest.server.defaultUid === rest.sidecar.uid
  const message = `${rest.sidecar.uid} is the sidecar's uid`
  const all = [...faults, ...(isShared ? [{ path: ['server', 'defaultUid'], message }] : [])]
  return all.length > 0 ? fail(all) : ok({ ...rest, images: EMPTY_INDEX, scope })
}

/** The same, its faults as sentences. */
export const parseClusterConfig = (document: unknown): Result<ClusterConfig, string[]> => {
  const checked = checkDocument(document)
  return checked.ok ? checked : fail(checked.error.map(faultWords))
}

/** Where the key of a member stands. */
const keyAt = (map: unknown, name: string | undefined): number | undefined => {
  const pair = isMap(map)
    ? map.items.find(({ key }) => isScalar(key) && key.value === name)
    : undefined
  return isScalar(pair?.key) ? pair.key.range?.[0] : undefined
}

/** The line on which a fault stands: that of the innermost member on its path that is there; 0 where none is. */
const lineOf = (document: Document, path: readonly string[], lines: LineCounter): number => {
  for (let length = path.length; length > 0; length--) {
    const offset = keyAt(document.getIn(path.slice(0, length - 1), true), path[length - 1])
    if (offset !== undefined) return lines.linePos(offset).line
  }
  return 0
}

/** The faults as sentences, in the order in which they stand in the document. */
const placed = (
  faults: readonly SchemaFault[],
  document: Document | undefined,
  lines: LineCounter,
): string[] =>
  faults
    .map((fault) => ({ fault, line: document ? lineOf(document, fault.path, lines) : 0 }))
    .sort((a, b) => a.line - b.line)
    .map(({ fault, line }) => `${line === 0 ? '' : `line ${line}: `}${faultWords(fault)}`)

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
  const lines = new LineCounter()
  const [document, ...more] = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
  })
  if (more.length > 0)
    return fail([`it holds ${more.length + 1} documents; a configuration is one`])
  const [error] = document?.errors ?? []
  if (error) {
    const { line, col } = lines.linePos(error.pos[0])
    return fail([`line ${line}, column ${col}: ${yamlWords(error.code)}`])
  }
  const value: unknown = document?.toJS()
  const misplaced = misplacedDocument(value)
  if (misplaced !== undefined) return fail([misplaced])
  const checked = checkDocument(value)
  return checked.ok ? checked : fail(placed(checked.error, document, lines))
}
