// Tokens for the Kubernetes API: those that the API server mounts by itself, and those that an author
// mounts by hand, which are the same. Pure.

import { at, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { nameOf } from '../inject/pod.ts'
import { isReservedVolume } from '../inject/volumes.ts'
import type { Check } from './judged.ts'

/** What the API server itself is called by in its tokens, wherever nobody has named it otherwise. */
const API_AUDIENCE = /^(?:https:\/\/)?kubernetes(?:\.default(?:\.svc(?:\.cluster\.local)?)?)?$/

/** Without an audience a token is for the API server. */
const isForApi = (source: JsonObject): boolean => {
  if (at(source, 'serviceAccountToken') === undefined) return false
  const audience = stringAt(source, 'serviceAccountToken', 'audience') ?? ''
  return audience === '' || API_AUDIENCE.test(audience)
}

/** Our own are the sidecar's, and nobody else may mount them anyhow. */
const tokenVolumes = (pod: JsonObject): ReadonlySet<string> =>
  new Set(
    objectsAt(pod, 'spec', 'volumes')
      .filter((volume) => !isReservedVolume(nameOf(volume)))
      .filter((volume) => objectsAt(volume, 'projected', 'sources').some(isForApi))
      .map(nameOf),
  )

export const apiToken: Check = ({ pod, containers, server, mayHaveToken }) => {
  const volumes = tokenVolumes(pod)
  if (volumes.size === 0) return []
  const isAllowed = ({ list, name }: (typeof containers)[number]): boolean =>
    mayHaveToken && list === 'containers' && name === server
  return containers
    .filter((each) => !isAllowed(each))
    .flatMap(({ where, container }) => {
      const mounted = objectsAt(container, 'volumeMounts').map(nameOf)
      return [...new Set(mounted)]
        .filter((name) => volumes.has(name))
        .map((name) => ({ where, found: `mounts ${name}, a token for the Kubernetes API` }))
    })
}
