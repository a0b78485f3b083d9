// What the pod is in its mesh: the keys that an exempt proxy holds, and the tokens that it asks for them with, are no other
// container's. Known are Istio's and Linkerd's, by the volumes that the proxy itself mounts, by audience and by driver. Pure.

import { objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { SIDECAR_CONTAINER } from '../../shared/names.ts'
import { isExempt } from '../inject/exempt.ts'
import { isKeyVolume, isMeshProxyName } from '../inject/mesh.ts'
import { nameOf } from '../inject/pod.ts'
import { quoted } from './finding.ts'
import { everyContainer, type Check } from './judged.ts'

/** What their control planes give out certificates for. */
const AUDIENCE = /^(?:istio-ca|identity\.l5d\.io)$/
/** It gives every volume of a pod's the same keys. */
const DRIVER = 'workloadcertificates.security.cloud.google.com'

const mountsOf = (container: JsonObject): readonly string[] =>
  objectsAt(container, 'volumeMounts').map(nameOf)

/** Volumes that bring the same under another name. */
const isTheSame = (volume: JsonObject): boolean =>
  stringAt(volume, 'csi', 'driver') === DRIVER ||
  objectsAt(volume, 'projected', 'sources').some((source) =>
    AUDIENCE.test(stringAt(source, 'serviceAccountToken', 'audience') ?? ''),
  )

export const meshIdentity: Check = ({ pod, floor }) => {
  const containers = everyContainer(pod)
  const exempt = new Set(containers.filter((container) => isExempt(container, floor)))
  const proxies = [...exempt].filter((container) => isMeshProxyName(nameOf(container)))
  if (proxies.length === 0) return []
  const held = new Set([
    ...proxies.flatMap(mountsOf).filter(isKeyVolume),
    ...objectsAt(pod, 'spec', 'volumes').filter(isTheSame).map(nameOf),
  ])
  return containers
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
}
