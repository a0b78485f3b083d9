// The tokens by which the pod is known to its cloud: injection takes them out of every container but the server's; what is
// put into a running pod comes without it. Pure.

import { SIDECAR_CONTAINER } from '../../shared/names.ts'
import { objectsAt } from '../../shared/json.ts'
import { identityVolumes } from '../inject/cloud-identity.ts'
import { nameOf } from '../inject/pod.ts'
import { quoted } from './finding.ts'
import { everyContainer, type Check } from './judged.ts'

/** Where the server could not be told, any container may be it but those of a running pod. */
export const cloudIdentity: Check = ({ pod, server, floor }) => {
  if (floor.allowSharedIdentity) return []
  const isToken = identityVolumes(pod)
  const others =
    server === undefined
      ? objectsAt(pod, 'spec', 'ephemeralContainers')
      : everyContainer(pod).filter(
          (container) => ![server, SIDECAR_CONTAINER].includes(nameOf(container)),
        )
  return others.flatMap((container) =>
    objectsAt(container, 'volumeMounts')
      .filter((mount) => isToken(nameOf(mount)))
      .map((mount) => ({
        where: `container ${nameOf(container)}`,
        found: `mounts ${quoted(nameOf(mount))}, a token for the pod's cloud`,
      })),
  )
}
