// Tokens for the Kubernetes API: those that the API server mounts by itself, and those that an author
// mounts by hand, which are the same. Pure.

import { objectsAt } from '../../shared/json.ts'
import { apiTokenVolumes } from '../inject/api-token.ts'
import { nameOf } from '../inject/pod.ts'
import type { Check } from './judged.ts'

export const apiToken: Check = ({ pod, containers, server, mayHaveToken, floor }) => {
  const volumes = new Set(apiTokenVolumes(pod, floor))
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
