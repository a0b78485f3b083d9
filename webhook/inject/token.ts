// The ServiceAccount token: not mounted, and taken out where the API server's own plugin, which
// runs before webhooks, has already mounted it. Pure.

import { at, objectsAt, withAt, type JsonObject } from '../json.ts'
import { mapContainers, nameOf } from './pod.ts'

// The plugin's names: a prefix and five letters or digits of its own alphabet.
const PLUGIN_VOLUME = /^kube-api-access-[a-z0-9]{5}$/

const isPluginVolume = (volume: JsonObject): boolean =>
  PLUGIN_VOLUME.test(nameOf(volume)) && at(volume, 'projected') !== undefined

/** The pod without the default token, in any container. */
export const removeToken = (pod: JsonObject): JsonObject => {
  const off = withAt(pod, ['spec', 'automountServiceAccountToken'], false)
  const volumes = objectsAt(pod, 'spec', 'volumes')
  const names = new Set(volumes.filter(isPluginVolume).map(nameOf))
  if (names.size === 0) return off
  const without = (list: readonly JsonObject[]): readonly JsonObject[] =>
    list.filter((item) => !names.has(nameOf(item)))
  return mapContainers(withAt(off, ['spec', 'volumes'], without(volumes)), ({ container }) =>
    at(container, 'volumeMounts') === undefined
      ? container
      : withAt(container, ['volumeMounts'], without(objectsAt(container, 'volumeMounts'))),
  )
}
