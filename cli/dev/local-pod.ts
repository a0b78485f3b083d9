// What of an injected pod can run as processes on this machine: the server's command and
// environment, and the sidecar's configuration with local addresses. Pure. What has no counterpart without
// containers (images, other containers) or beside a cluster is said, never silently left out.

import {
  API_SERVER_VOLUME,
  CONFIG_VARIABLE,
  INTROSPECTION_VOLUME,
  TOKEN_EXCHANGE_VOLUME,
  PARENT_PROXY_VOLUME,
  REPLICAS_VOLUME,
  SHIM_PATH,
  SIDECAR_CONTAINER,
} from '../../shared/names.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { parseSidecarConfig, type SidecarConfig } from '../../shared/sidecar-config.ts'
import {
  at,
  isList,
  isObject,
  objectAt,
  objectsAt,
  stringAt,
  withAt,
  type Json,
  type JsonObject,
} from '../../shared/json.ts'
import { expand } from './expand.ts'
import { sidecarFiles, withSidecarFiles } from './sidecar-files.ts'
import { NO_SUPPLIES } from './supplies.ts'
import { variablesOf, type VariableSources } from './variables.ts'
import { mountsOf, type Mounts, type VolumeSources } from './volumes.ts'

export interface LocalPod {
  readonly server: string
  readonly command: readonly string[]
  /** The container's own variables. */
  readonly environment: Readonly<Record<string, string>>
  readonly cwd: string | undefined
  readonly config: SidecarConfig
  /** What the manifest calls the sidecar's own files, by the paths that the configuration names. */
  readonly fileNames: ReadonlyMap<string, string>
  /** The volumes that stand here, by the paths that command, environment, cwd and configuration name. */
  readonly volumes: Omit<Mounts, 'notes'>
  /** Names of variables that were told: their values are of this machine already. */
  readonly given: ReadonlySet<string>
  /** What differs from the pod in a cluster. */
  readonly notes: readonly string[]
}

/** What a pod finds around it: what the cluster would give, and what was told. */
export type Surroundings = VariableSources & VolumeSources

export const NOTHING_AROUND: Surroundings = {
  name: 'here',
  namespace: 'default',
  supplies: NO_SUPPLIES,
  given: new Map(),
  directories: new Map(),
}

const words = (container: JsonObject, name: string): readonly string[] => {
  const value = at(container, name)
  return Array.isArray(value) ? value.filter((word) => typeof word === 'string') : []
}

const sidecarOf = (pod: JsonObject): JsonObject | undefined =>
  [...objectsAt(pod, 'spec', 'initContainers'), ...objectsAt(pod, 'spec', 'containers')].find(
    (container) => stringAt(container, 'name') === SIDECAR_CONTAINER,
  )

const isWrapped = (container: JsonObject): boolean => words(container, 'command')[0] === SHIM_PATH

/** The words after the shim's `--`, and the container's args behind them. */
const commandOf = (
  container: JsonObject,
  environment: Readonly<Record<string, string>>,
): readonly string[] => {
  const command = words(container, 'command')
  const own = isWrapped(container) ? command.slice(command.indexOf('--') + 1) : command
  return [...own, ...words(container, 'args')].map((word) => expand(word, environment))
}

const LOCAL = {
  host: '127.0.0.1',
  port: 0,
  adminPort: 0,
  allowedHosts: [],
  isolation: 'advisory',
  binDir: undefined,
  toolPolicy: undefined,
  toolLock: undefined,
  introspectionDir: undefined,
  tokenExchangeDir: undefined,
  tls: undefined,
  replicas: undefined,
  apiServer: undefined,
} as const

const configOf = (
  pod: JsonObject,
  sidecar: JsonObject,
  port: number,
): Result<SidecarConfig, string[]> => {
  const text = variablesOf(pod, sidecar, NOTHING_AROUND).values[CONFIG_VARIABLE]
  let document: unknown
  try {
    document = JSON.parse(text ?? '')
  } catch {
    return fail([`the sidecar has no ${CONFIG_VARIABLE}`])
  }
  if (!isObject(document)) return fail(['no configuration'])
  // A server that speaks HTTP is started as it is here, and has its port itself.
  const isSupervised = at(document, 'isSupervised') === true
  const alone = isSupervised ? { isSupervised: false, standIns: [], carriedPorts: [] } : {}
  const issuers = askedHere(at(document, 'issuers'))
  const egress = egressHere(document)
  const { 'token-exchange': _asked, ...settings } = objectAt(document, 'settings')
  return parseSidecarConfig({ ...document, ...LOCAL, ...alone, issuers, egress, settings, port })
}

/** What of the sidecar's volumes is left out here, by the volume. */
const LEFT_OUT = new Map<string | undefined, string>([
  [PARENT_PROXY_VOLUME, 'egress.parentProxy of the cluster configuration: not asked from here'],
  [REPLICAS_VOLUME, 'companions.replicas of the cluster configuration: there is one replica here'],
  [API_SERVER_VOLUME, 'tokens of ServiceAccounts are refused here: only a cluster has their keys'],
  [
    TOKEN_EXCHANGE_VOLUME,
    'outrigger.dev/token-exchange: no token is exchanged here, and servers find none',
  ],
  [
    INTROSPECTION_VOLUME,
    'outrigger.dev/introspection-secret: tokens that are no JWTs are refused here',
  ],
])

/** What takes credentials. */
const withoutAsking = (issuer: JsonObject): JsonObject =>
  withAt(withAt(issuer, ['introspectionUrl'], undefined), ['tokenExchange'], undefined)

/** Without credentials nobody is asked about a token, and without a cluster nobody has its keys. */
const askedHere = (issuers: Json | undefined): Json | undefined =>
  isList(issuers)
    ? issuers
        .filter((one) => !isObject(one) || at(one, 'serviceAccounts') === undefined)
        .map((one) => (isObject(one) ? withoutAsking(one) : one))
    : issuers

/** The proxy takes a port that is free; a company's own proxy is the cluster's, and a server without the shim goes where it likes. */
const egressHere = (document: JsonObject): Json | undefined => {
  const isConfined = stringAt(document, 'settings', 'transport') === 'stdio'
  const own = at(document, 'egress')
  if (!isConfined || own === undefined) return undefined
  const { parentProxy: _proxy, caFile: _ca, ...rest } = objectAt(document, 'egress')
  return { ...rest, port: 0 }
}

const UNCONFINED =
  'outrigger.dev/egress: a server that speaks HTTP is started here as it is, and goes where it likes'

const UNKEPT =
  'outrigger.dev/file-writes: nothing keeps the server to what is declared here; it changes files wherever you may'

/** Whether its shim was told to keep it to files. */
const isKeptToFiles = (container: JsonObject): boolean => {
  const command = words(container, 'command')
  return isWrapped(container) && command.slice(0, command.indexOf('--')).includes('--files')
}

const NO_RECORDS =
  'outrigger.dev/audit-sink: nothing is put on record here; outrigger run --audit-file keeps records'

/** What comes with the pod as admission has made it holds on this machine, too. */
const baseNotes = ({ basePolicy, baseLock }: SidecarConfig): readonly string[] => [
  ...(basePolicy === undefined
    ? []
    : ['floor.basePolicy of the cluster configuration holds here, too']),
  ...(baseLock === undefined
    ? []
    : ['the lock in floor.toolLocks of the cluster configuration holds here, too']),
]

/** What is left out of what it asks for. */
const leftNotes = ({ audit, settings }: SidecarConfig): readonly string[] => {
  const isUnconfined = settings.transport !== 'stdio' && settings.egress !== undefined
  return [...(audit === undefined ? [] : [NO_RECORDS]), ...(isUnconfined ? [UNCONFINED] : [])]
}

/** Reads an injected pod; `server` is the name of the server's container. */
export const localPod = (
  pod: JsonObject,
  port: number,
  around: Surroundings,
): Result<LocalPod, string[]> => {
  const sidecar = sidecarOf(pod)
  const containers = objectsAt(pod, 'spec', 'containers')
  const name = stringAt(pod, 'metadata', 'annotations', 'kubectl.kubernetes.io/default-container')
  const server =
    containers.find(isWrapped) ??
    containers.find((container) => stringAt(container, 'name') === name)
  if (!sidecar || !server) return fail(['the pod has no sidecar or no server'])
  const config = configOf(pod, sidecar, port)
  if (!config.ok) return config
  const files = sidecarFiles(pod, around)
  if (!files.ok) return files
  const variables = variablesOf(pod, server, around)
  const volumes = mountsOf(pod, server, around)
  const command = commandOf(server, variables.values)
  if ([...command, ...Object.values(variables.values)].some((text) => text.includes('\0'))) {
    return fail(['the command or a variable holds a NUL character, which no process can be given'])
  }
  const others = containers
    .filter((container) => container !== server)
    .map((container) => stringAt(container, 'name') ?? '')
  const leftOut = objectsAt(pod, 'spec', 'volumes').flatMap(
    (volume) => LEFT_OUT.get(stringAt(volume, 'name')) ?? [],
  )
  return ok({
    server: stringAt(server, 'name') ?? '',
    command,
    environment: variables.values,
    cwd: stringAt(server, 'workingDir'),
    config: {
      ...config.value,
      ...files.value.config,
      audit: undefined,
    },
    fileNames: files.value.names,
    volumes: withSidecarFiles(volumes, files.value),
    given: new Set(around.given.keys()),
    notes: [
      ...variables.notes,
      ...volumes.notes,
      ...files.value.notes,
      ...leftOut,
      ...baseNotes(config.value),
      ...leftNotes(config.value),
      ...(isKeptToFiles(server) ? [UNKEPT] : []),
      ...others.map((other) => `container ${other} does not run here`),
    ],
  })
}
