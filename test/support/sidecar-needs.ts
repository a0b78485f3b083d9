// What a pod has to hold for its sidecar to work and its server to be kept: told from the pod as it is stored, by none of the
// code that injects. Pure.

import {
  at,
  isObject,
  isSame,
  objectsAt,
  stringAt,
  stringsAt,
  type Json,
  type JsonObject,
} from '../../shared/json.ts'
import {
  BIN_DIR,
  BIN_VOLUME,
  INJECTED_LABEL,
  RUN_DIR,
  RUN_VOLUME,
  SERVER_LABEL,
  SHIM_PATH,
  SIDECAR_CONTAINER,
  STATUS_ANNOTATION,
} from '../../shared/names.ts'

const parsed = (text: string | undefined): JsonObject => {
  try {
    const value: unknown = JSON.parse(text ?? '')
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}

const LISTS = ['containers', 'initContainers', 'ephemeralContainers']

const named = (pod: JsonObject, name: Json | undefined): readonly JsonObject[] =>
  LISTS.flatMap((list) => objectsAt(pod, 'spec', list)).filter(
    (container) => container['name'] === name,
  )

const isMounted = (
  container: JsonObject,
  name: string,
  mountPath: string,
  isRead: boolean,
): boolean =>
  objectsAt(container, 'volumeMounts').some(
    (mount) =>
      mount['name'] === name &&
      mount['mountPath'] === mountPath &&
      (mount['readOnly'] === true) === isRead,
  )

/** Mounts of a container that name no volume of the pod's, or one of several. */
const loose = (pod: JsonObject, container: JsonObject): readonly string[] => {
  const volumes = objectsAt(pod, 'spec', 'volumes').map(({ name }) => name)
  return objectsAt(container, 'volumeMounts')
    .filter(({ name }) => volumes.filter((volume) => volume === name).length !== 1)
    .map(({ name }) => `a volume ${JSON.stringify(name)}`)
}

const PRIVILEGES: JsonObject = {
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
}

const documentOf = (sidecar: JsonObject): JsonObject =>
  parsed(
    stringAt(
      objectsAt(sidecar, 'env').find(({ name }) => name === 'OUTRIGGER_CONFIG'),
      'value',
    ),
  )

/** A server that speaks stdio is started by the shim; one that speaks HTTP may be, where its command is known. */
const needsShim = (document: JsonObject): boolean =>
  at(document, 'settings', 'transport') !== 'http' || document['isSupervised'] === true

/** What is not as it has to be of the sidecar's container. */
const missingInSidecar = (pod: JsonObject, sidecar: JsonObject): readonly string[] => {
  const document = documentOf(sidecar)
  const hasShim = needsShim(document)
  const label = stringAt(pod, 'metadata', 'labels', SERVER_LABEL)
  const checks: readonly (readonly [what: string, isThere: boolean])[] = [
    ['a restart policy', sidecar['restartPolicy'] === 'Always'],
    ['a document', isObject(document['settings'])],
    ['its server’s name', label !== undefined && document['server'] === label],
    ['a mark', at(pod, 'metadata', 'labels', INJECTED_LABEL) === 'true'],
    ['a port', objectsAt(sidecar, 'ports').some(({ name }) => name === 'mcp')],
    ...['startupProbe', 'readinessProbe', 'livenessProbe'].map(
      (probe) => [`a ${probe}`, isObject(sidecar[probe])] as const,
    ),
    ...['cpu', 'memory'].flatMap((resource) =>
      ['requests', 'limits'].map(
        (amounts) =>
          [
            `${amounts} of ${resource}`,
            at(sidecar, 'resources', amounts, resource) !== undefined,
          ] as const,
      ),
    ),
    ...Object.entries(PRIVILEGES).map(
      ([field, value]) =>
        [`securityContext.${field}`, isSame(at(sidecar, 'securityContext', field), value)] as const,
    ),
    ['the shim’s volume', !hasShim || isMounted(sidecar, BIN_VOLUME, BIN_DIR, false)],
    ['the pipes’ volume', !hasShim || isMounted(sidecar, RUN_VOLUME, RUN_DIR, false)],
  ]
  return [...checks.flatMap(([what, isThere]) => (isThere ? [] : [what])), ...loose(pod, sidecar)]
}

/** Its container starts by the shim, which it can read and not change. */
const missingInServer = (pod: JsonObject, sidecar: JsonObject): readonly string[] => {
  const status = parsed(stringAt(pod, 'metadata', 'annotations', STATUS_ANNOTATION))
  const servers = named(pod, status['container'])
  const [server] = servers
  if (server === undefined || servers.length > 1) return ['one container of the server']
  const document = documentOf(sidecar)
  if (!needsShim(document)) return []
  const wanted = document['isSupervised'] === true ? 'exec' : 'serve'
  const [program, verb] = stringsAt(server, 'command') ?? []
  const checks: readonly (readonly [what: string, isThere: boolean])[] = [
    ['the server’s shim', program === SHIM_PATH && verb === wanted],
    ['the shim, to read', isMounted(server, BIN_VOLUME, BIN_DIR, true)],
    ['the pipes', isMounted(server, RUN_VOLUME, RUN_DIR, false)],
  ]
  return checks.flatMap(([what, isThere]) => (isThere ? [] : [what]))
}

/** What a pod lacks that its sidecar needs; nothing where it is whole. */
export const missingIn = (pod: JsonObject): readonly string[] => {
  const sidecars = named(pod, SIDECAR_CONTAINER)
  const [sidecar] = sidecars
  const isInit = objectsAt(pod, 'spec', 'initContainers').some(
    ({ name }) => name === SIDECAR_CONTAINER,
  )
  if (sidecar === undefined || sidecars.length > 1 || !isInit) return ['one sidecar']
  return [...missingInSidecar(pod, sidecar), ...missingInServer(pod, sidecar)]
}
