// Anything of the user's that stands where ours must: container and volume names, mounts at, above
// or under our paths, ports. Judged on the pod as it came; what an earlier pass of ours left there
// is recognised by its form. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import {
  ADMIN_PORT,
  BIN_DIR,
  CONFIG_VARIABLE,
  EGRESS_PORT,
  HOMES_DIR,
  MCP_PORT,
  REPLICA_PORT,
  RUN_DIR,
  SIDECAR_CONTAINER,
} from '../../shared/names.ts'
import { at, numberAt, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { violation, type Violation } from '../settings/violation.ts'
import { cleanPath, doPathsMeet } from './paths.ts'
import { members, nameOf, ownSidecar } from './pod.ts'
import { sidecarVolumeForms } from './sidecar-volumes.ts'
import { isOwnMount, isReservedVolume } from './volumes.ts'

const isSidecar = (container: JsonObject): boolean =>
  objectsAt(container, 'env').some((item) => nameOf(item) === CONFIG_VARIABLE)

const containerNames = (pod: JsonObject): readonly Violation[] => {
  const lists = ['containers', 'ephemeralContainers', 'initContainers']
  return lists.flatMap((list) =>
    objectsAt(pod, 'spec', list)
      .filter((item) => nameOf(item) === SIDECAR_CONTAINER)
      .filter((item) => list !== 'initContainers' || !isSidecar(item))
      .map(
        () =>
          `pod: spec.${list} holds a container named ${SIDECAR_CONTAINER}, a name that only Outrigger gives; rename it`,
      )
      .map((message) => violation('reserved-name', message)),
  )
}

/** Whether a volume of ours is what it may be. */
const isOfOurForm = (volume: JsonObject): boolean => {
  const forms = sidecarVolumeForms(nameOf(volume))
  return (forms.length === 0 ? ['emptyDir'] : forms).some((form) => at(volume, form) !== undefined)
}

const volumeNames = (pod: JsonObject): readonly Violation[] => {
  const isInjected = ownSidecar(pod) !== undefined
  return objectsAt(pod, 'spec', 'volumes')
    .filter((volume) => isReservedVolume(nameOf(volume)))
    .filter((volume) => !isInjected || !isOfOurForm(volume))
    .map((volume) =>
      violation(
        'reserved-name',
        `pod: volume ${nameOf(volume)} has a name that only Outrigger gives; rename it`,
      ),
    )
}

const foreignMounts = (pod: JsonObject): readonly Violation[] =>
  members(pod)
    .filter(({ name }) => name !== SIDECAR_CONTAINER)
    .flatMap(({ name, container }) =>
      objectsAt(container, 'volumeMounts')
        .filter((mount) => isReservedVolume(nameOf(mount)) && !isOwnMount(name, mount))
        .map((mount) =>
          violation(
            'reserved-name',
            `container ${name}: mounts Outrigger's volume ${nameOf(mount)} at ${stringAt(mount, 'mountPath') ?? ''}; take the mount out`,
          ),
        ),
    )

const OUR_DIRECTORIES = [BIN_DIR, RUN_DIR, HOMES_DIR]

const meetsOurs = (path: string): string | undefined => {
  const clean = cleanPath(path)
  return OUR_DIRECTORIES.find((directory) => doPathsMeet(clean, directory))
}

const mountPaths = (container: JsonObject): readonly Violation[] => {
  const mounts = objectsAt(container, 'volumeMounts')
    .filter((mount) => !isReservedVolume(nameOf(mount)))
    .map((mount) => stringAt(mount, 'mountPath') ?? '')
  const devices = objectsAt(container, 'volumeDevices').map(
    (device) => stringAt(device, 'devicePath') ?? '',
  )
  return [...mounts, ...devices].flatMap((path) => {
    const ours = meetsOurs(path)
    return ours === undefined
      ? []
      : violation(
          'reserved-path',
          `container ${nameOf(container)}: the mount at ${path} meets Outrigger's ${ours}; mount it elsewhere`,
        )
  })
}

const KERNEL_DIRECTORIES = ['/proc', '/sys', '/dev']

/** Writable paths that would cover our own directories or the kernel's. */
export const writablePathViolations = (paths: readonly string[]): readonly Violation[] =>
  paths.flatMap((path) => {
    const ours = [...OUR_DIRECTORIES, ...KERNEL_DIRECTORIES].find((other) =>
      doPathsMeet(path, other),
    )
    return ours === undefined
      ? []
      : violation(
          'reserved-path',
          `${PREFIX}writable-paths: ${path} meets ${ours}; name another directory`,
        )
  })

const OUR_PORTS: ReadonlySet<number | undefined> = new Set([
  MCP_PORT,
  ADMIN_PORT,
  EGRESS_PORT,
  REPLICA_PORT,
])

const ports = (pod: JsonObject): readonly Violation[] =>
  members(pod)
    .filter(({ name }) => name !== SIDECAR_CONTAINER)
    .flatMap(({ name, container }) =>
      objectsAt(container, 'ports')
        .map((port) => numberAt(port, 'containerPort'))
        .filter((port) => OUR_PORTS.has(port))
        .map((port) =>
          violation(
            'reserved-port',
            `container ${name}: port ${String(port)} is Outrigger's; use another`,
          ),
        ),
    )

/** Every collision with our names, paths and ports; `server` is the container that gets our mounts. */
export const collisions = (
  pod: JsonObject,
  server: JsonObject | undefined,
): readonly Violation[] => [
  ...containerNames(pod),
  ...volumeNames(pod),
  ...foreignMounts(pod),
  ...(server ? mountPaths(server) : []),
  ...ports(pod),
]

/** Whether the upstream port of `transport: http` is one of ours. */
export const isOwnPort = (port: number): boolean => OUR_PORTS.has(port)
