// What the sidecar of a pod that runs here reads for itself: the tool policy and the tool lock in ConfigMaps, the certificate
// in a Secret, where the manifest holds them, in directories of the sidecar's own. Pure.

import { objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import {
  LOCK_DIR,
  LOCK_KEY,
  LOCK_VOLUME,
  POLICY_DIR,
  POLICY_KEY,
  POLICY_VOLUME,
  TLS_CERT_KEY,
  TLS_DIR,
  TLS_PRIVATE_KEY,
  TLS_VOLUME,
} from '../../shared/names.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import type { SupplyKind } from './supplies.ts'
import type { Content, Mounts, VolumeSources } from './volumes.ts'

export type FilesConfig = Pick<SidecarConfig, 'toolPolicy' | 'toolLock' | 'tls'>

export interface SidecarFiles {
  readonly volumes: ReadonlyMap<string, Content>
  /** Where the sidecar reads them. */
  readonly config: FilesConfig
  /** By the path where the sidecar reads one, what its author calls it. */
  readonly names: ReadonlyMap<string, string>
  readonly notes: readonly string[]
}

interface Source {
  readonly volume: string
  readonly directory: string
  readonly annotation: string
  readonly kind: SupplyKind
  /** Its name, in the volume. */
  readonly at: readonly [source: string, name: string]
  readonly keys: readonly string[]
  readonly config: Partial<FilesConfig>
  /** What is so with it, and without. */
  readonly with: string
  readonly without: string
}

const SOURCES: readonly Source[] = [
  {
    volume: POLICY_VOLUME,
    directory: POLICY_DIR,
    annotation: 'outrigger.dev/tool-policy',
    kind: 'ConfigMap',
    at: ['configMap', 'name'],
    keys: [POLICY_KEY],
    config: { toolPolicy: `${POLICY_DIR}/${POLICY_KEY}` },
    with: 'callers may do what it allows',
    without: 'callers may do everything here; outrigger policy test tries it alone',
  },
  {
    volume: LOCK_VOLUME,
    directory: LOCK_DIR,
    annotation: 'outrigger.dev/tool-lock',
    kind: 'ConfigMap',
    at: ['configMap', 'name'],
    keys: [LOCK_KEY],
    config: { toolLock: `${LOCK_DIR}/${LOCK_KEY}` },
    with: 'what the server lists is held against it',
    without:
      'what the server lists is not looked at here; outrigger tools verify says what has changed',
  },
  {
    volume: TLS_VOLUME,
    directory: TLS_DIR,
    annotation: 'outrigger.dev/tls-secret',
    kind: 'Secret',
    at: ['secret', 'secretName'],
    keys: [TLS_CERT_KEY, TLS_PRIVATE_KEY],
    config: {
      tls: { certFile: `${TLS_DIR}/${TLS_CERT_KEY}`, keyFile: `${TLS_DIR}/${TLS_PRIVATE_KEY}` },
    },
    with: 'MCP is served over TLS by it',
    without: 'MCP is served over plain HTTP here, on loopback alone',
  },
]

const NONE: SidecarFiles = {
  volumes: new Map(),
  config: { toolPolicy: undefined, toolLock: undefined, tls: undefined },
  names: new Map(),
  notes: [],
}

type Found = Omit<SidecarFiles, 'config'> & { readonly config: Partial<FilesConfig> }

/** In a cluster no pod starts without the keys; without the object one runs here, and says so. */
const filesOf = (
  { annotation, kind, keys, volume, directory, config, ...words }: Source,
  name: string,
  { supplies, namespace }: Pick<VolumeSources, 'supplies' | 'namespace'>,
): Result<Found, string> => {
  const supply = supplies(kind, namespace, name)
  if (!supply) {
    const note = `${annotation}: the manifest does not hold ${kind} ${name}: ${words.without}`
    return ok({ volumes: new Map(), config: {}, names: new Map(), notes: [note] })
  }
  const files = new Map<string, Buffer>()
  for (const key of keys) {
    const bytes = supply.values.get(key)
    if (!bytes) return fail(`${annotation}: ${kind} ${name} has no key ${key}`)
    files.set(key, bytes)
  }
  const note = `${annotation}: ${kind} ${name} of the manifest holds: ${words.with}`
  const names = new Map(
    keys.map((key) => [`${directory}/${key}`, `${key} of ${kind} ${name}`] as const),
  )
  return ok({
    volumes: new Map([[volume, { kind: 'files', files }]]),
    config,
    names,
    notes: [note],
  })
}

export const sidecarFiles = (
  pod: JsonObject,
  around: Pick<VolumeSources, 'supplies' | 'namespace'>,
): Result<SidecarFiles, string[]> => {
  const volumes = objectsAt(pod, 'spec', 'volumes')
  let all = NONE
  const faults: string[] = []
  for (const source of SOURCES) {
    const volume = volumes.find((one) => stringAt(one, 'name') === source.volume)
    if (!volume) continue
    const found = filesOf(source, stringAt(volume, ...source.at) ?? '', around)
    if (!found.ok) {
      faults.push(found.error)
      continue
    }
    all = {
      volumes: new Map([...all.volumes, ...found.value.volumes]),
      config: { ...all.config, ...found.value.config },
      names: new Map([...all.names, ...found.value.names]),
      notes: [...all.notes, ...found.value.notes],
    }
  }
  return faults.length > 0 ? fail(faults) : ok(all)
}

/** The volumes of the server with those that are the sidecar's alone. */
export const withSidecarFiles = (
  { contents, mounts }: Omit<Mounts, 'notes'>,
  { volumes }: SidecarFiles,
): Omit<Mounts, 'notes'> => ({
  contents: new Map([...contents, ...volumes]),
  mounts: [
    ...mounts,
    ...SOURCES.filter(({ volume }) => volumes.has(volume)).map(({ directory, volume }) => ({
      path: directory,
      volume,
      subPath: '',
    })),
  ],
})
