// Look-ups of images over an API server in memory, for one StatefulSet or more whose pods are denied.

import type { JsonObject } from '../../shared/json.ts'
import { createLog } from '../../shared/log.ts'
import type { ClusterConfig } from '../../webhook/cluster/config.ts'
import { ownerKey, type DeniedOwner } from '../../webhook/controller/denied-owners.ts'
import { Events } from '../../webhook/controller/events.ts'
import { FoundImages } from '../../webhook/controller/found-images.ts'
import { LookUps, type LookUpsOptions } from '../../webhook/controller/look-ups.ts'
import { ownerPath, Owners } from '../../webhook/controller/owners.ts'
import type { IndexApi } from './index-api.ts'
import { clusterConfig } from './cluster-config.ts'

export const lookingConfig = (resolveImages: boolean, registries?: object): ClusterConfig =>
  clusterConfig({
    sidecar: { image: 'x' },
    settings: { auth: 'none' },
    floor: { allowAnonymous: true, egressMode: 'observe', resolveImages },
    ...(registries ? { registries } : {}),
  })

export const deniedSet = (namespace: string, name: string): DeniedOwner => ({
  namespace,
  owner: { apiVersion: 'apps/v1', kind: 'StatefulSet', name, uid: `u-${name}` },
})

export const statefulSet = (image: string, name: string): JsonObject => ({
  metadata: { name, uid: `u-${name}` },
  spec: {
    template: {
      metadata: { annotations: { 'outrigger.dev/inject': 'true' } },
      spec: {
        imagePullSecrets: [{ name: 'pull' }],
        containers: [{ name: 'c', image, resources: { limits: { memory: '1Gi' } } }],
      },
    },
  },
})

/** Puts it there; what a queue calls it. */
export const makeDenied = (
  api: IndexApi,
  namespace: string,
  name: string,
  image: string,
): string => {
  const denied = deniedSet(namespace, name)
  api.objects.set(ownerPath(denied), statefulSet(image, name))
  return ownerKey(denied)
}

interface Looking extends Pick<LookUpsOptions, 'config' | 'reader' | 'counted'> {
  readonly api: IndexApi
  /** Whose pods Events tell of, from the beginning. */
  readonly keys: readonly string[]
  readonly sleep: LookUpsOptions['sleep']
  readonly timeout: (ms: number) => AbortSignal
  readonly write: (line: string) => void
  readonly ended: () => void
}

/** By a clock that stands still: what has failed is not tried again. */
export const lookUpsOver = (looking: Looking): LookUps => {
  const { api, keys, write, ended, ...options } = looking
  const { requests } = api
  const log = createLog({ level: 'info', write, now: () => 0 })
  const wall = { now: () => 0, wallMs: () => 0, randomName: () => 'r', identity: 'test' }
  return new LookUps({
    ...options,
    log,
    requests,
    now: () => 0,
    random: () => 0,
    namespaces: () => ({ get: (name) => ({ name, labels: {}, annotations: {} }) }),
    owners: new Owners(requests),
    events: new Events({ ...wall, requests, log }),
    index: new FoundImages(requests, 'outrigger-system'),
    follow: (asked) => ({
      start: () => {
        for (const key of keys) asked(key)
        return Promise.resolve()
      },
      close: ended,
    }),
  })
}
