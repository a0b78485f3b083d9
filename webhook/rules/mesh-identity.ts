// What the pod is in its mesh: the keys that an exempt proxy holds, and the tokens that it asks for them with, are no other
// container's, nor in a volume that reaches further than the pod. Known are Istio's and Linkerd's, by the volumes that the
// proxy itself mounts, by audience and by driver. Pure.

import { at, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { SIDECAR_CONTAINER } from '../../shared/names.ts'
import { isExempt } from '../inject/exempt.ts'
import { isKeyVolume, isMeshProxyName, MESH_AUDIENCE } from '../inject/mesh.ts'
import { nameOf } from '../inject/pod.ts'
import { quoted, type Finding } from './finding.ts'
import { everyContainer, type Check } from './judged.ts'

/** It gives every volume of a pod's the same keys. */
const DRIVER = 'workloadcertificates.security.cloud.google.com'
/** What a mesh's keys and their way to the proxy come by, of those that reach nobody else's pod. */
const DRIVERS: ReadonlySet<string | undefined> = new Set([
  DRIVER,
  'csi.spiffe.io',
  'csi.cert-manager.io',
  'spiffe.csi.cert-manager.io',
])

const OF_ONE_POD: ReadonlySet<string> = new Set(['emptyDir', 'projected'])

const mountsOf = (container: JsonObject): readonly string[] =>
  objectsAt(container, 'volumeMounts').map(nameOf)

const driverOf = (volume: JsonObject): string | undefined => stringAt(volume, 'csi', 'driver')

const audiencesOf = (volume: JsonObject): readonly string[] =>
  objectsAt(volume, 'projected', 'sources').flatMap(
    (source) => stringAt(source, 'serviceAccountToken', 'audience') ?? [],
  )

/** Whether a volume brings the same as one of the proxy's, under another name. */
const sameAs = (keys: readonly JsonObject[]): ((volume: JsonObject) => boolean) => {
  const drivers = new Set([DRIVER, ...keys.flatMap((volume) => driverOf(volume) ?? [])])
  const audiences = new Set(keys.flatMap(audiencesOf))
  return (volume) =>
    drivers.has(driverOf(volume) ?? '') ||
    audiencesOf(volume).some((audience) => MESH_AUDIENCE.test(audience) || audiences.has(audience))
}

/** Of one pod alone: no other volume, and no other pod, leads to what is in it. Without a source it is an emptyDir. */
const isOfOnePod = (volume: JsonObject): boolean =>
  Object.keys(volume)
    .filter((member) => member !== 'name' && at(volume, member) !== undefined)
    .every((source) => OF_ONE_POD.has(source) || DRIVERS.has(driverOf(volume)))

const sharedKeys = (keys: readonly JsonObject[]): readonly Finding[] =>
  keys
    .filter((volume) => !isOfOnePod(volume))
    .map((volume) => ({
      where: 'pod',
      found: `volume ${quoted(nameOf(volume))} of the mesh's keys is not one of this pod alone`,
      part: nameOf(volume),
    }))

export const meshIdentity: Check = ({ pod, floor }) => {
  const containers = everyContainer(pod)
  const exempt = new Set(containers.filter((container) => isExempt(container, floor)))
  const proxies = [...exempt].filter((container) => isMeshProxyName(nameOf(container)))
  if (proxies.length === 0) return []
  const names = new Set(proxies.flatMap(mountsOf).filter(isKeyVolume))
  const volumes = objectsAt(pod, 'spec', 'volumes')
  const keys = volumes.filter((volume) => names.has(nameOf(volume)))
  const held = new Set([...names, ...volumes.filter(sameAs(keys)).map(nameOf)])
  const taken = containers
    .filter((container) => !exempt.has(container) && nameOf(container) !== SIDECAR_CONTAINER)
    .flatMap((container) =>
      [...new Set(mountsOf(container))]
        .filter((name) => held.has(name))
        .map((name) => ({
          where: `container ${nameOf(container)}`,
          found: `mounts ${quoted(name)}, which holds the mesh's keys or a token for them`,
          part: name,
        })),
    )
  return [...sharedKeys(keys), ...taken]
}
