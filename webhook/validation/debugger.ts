// Containers that are put into a running pod to debug it: none of them is, or becomes, a part of the sidecar.
// They are stored as they come, so that only what they say themselves is known of them. Pure.

import { SIDECAR_CONTAINER } from '../../shared/names.ts'
import type { ImageIndex } from '../../shared/image-index.ts'
import { numberAt, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { agreed, knownImage } from '../inject/image.ts'
import { nameOf, ownSidecar } from '../inject/pod.ts'
import { gidOf, uidOf } from '../inject/security.ts'
import { isReservedVolume } from '../inject/volumes.ts'
import type { Breach } from '../rules/judge.ts'
import type { RuleId } from '../settings/rule.ts'

interface Runner {
  /** Undefined: nobody knows, since it is the image's word. */
  readonly uid: number | undefined
  readonly gid: number | undefined
}

/** Whom a container runs as: by its own word or the pod's, else by its image's, which counts where a digest says which that is. */
const runnerOf = (container: JsonObject, pod: JsonObject, images: ImageIndex): Runner => {
  const [uid, gid] = [uidOf(pod, container), gidOf(pod, container)]
  if (uid !== undefined) return { uid, gid }
  const known = knownImage(container, pod, images)
  const user = known?.pinned === undefined && known ? agreed(known, (record) => record.user) : {}
  return { uid: user?.uid, gid: gid ?? user?.gid }
}

const asWhom = ({ uid, gid }: Runner, sidecar: JsonObject): readonly string[] => {
  const own = numberAt(sidecar, 'securityContext', 'runAsUser')
  const ownGroup = numberAt(sidecar, 'securityContext', 'runAsGroup')
  return [
    ...(uid === undefined
      ? ['runAsUser is not set, so that its image may make it the sidecar’s user']
      : []),
    ...(uid !== undefined && uid === own ? [`runs as uid ${uid}, which is the sidecar's`] : []),
    ...(gid !== undefined && gid === ownGroup
      ? [`runs in group ${gid}, which is the sidecar's`]
      : []),
  ]
}

/** How a debug container would get into the sidecar. */
const waysIn = (container: JsonObject, pod: JsonObject, images: ImageIndex): readonly string[] => {
  const sidecar = ownSidecar(pod)
  const mounted = objectsAt(container, 'volumeMounts').map(nameOf).filter(isReservedVolume)
  return [
    ...(stringAt(container, 'targetContainerName') === SIDECAR_CONTAINER
      ? [`targetContainerName: "${SIDECAR_CONTAINER}"`]
      : []),
    ...(sidecar ? asWhom(runnerOf(container, pod, images), sidecar) : []),
    ...mounted.map((name) => `mounts ${name}`),
  ]
}

const ephemeral = (pod: JsonObject): readonly JsonObject[] =>
  objectsAt(pod, 'spec', 'ephemeralContainers')

const breachIn = (rule: RuleId, container: JsonObject, found: string): Breach => ({
  rule,
  where: `container ${nameOf(container)}`,
  found,
})

const breachesBy = (
  container: JsonObject,
  pod: JsonObject,
  images: ImageIndex,
): readonly Breach[] => [
  ...waysIn(container, pod, images).map((way) => breachIn('sidecar-access', container, way)),
  breachIn('debug-containers', container, 'is put into a running pod'),
]

/** What is broken by the containers that an update puts into a pod. */
export const debuggerBreaches = (
  { before, after }: { readonly before: JsonObject; readonly after: JsonObject },
  images: ImageIndex,
): readonly Breach[] => {
  const known = new Set(ephemeral(before).map(nameOf))
  return ephemeral(after)
    .filter((container) => !known.has(nameOf(container)))
    .flatMap((container) => breachesBy(container, after, images))
}
