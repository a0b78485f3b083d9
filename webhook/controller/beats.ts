// Where the watchdog looks: pods without our label, of which nobody else here hears, and Deployments. Both are listed page by
// page and not followed, since there may be any number of either. Decides nothing.

import { isObject, type JsonObject } from '../../shared/json.ts'
import { INJECTED_LABEL } from '../../shared/names.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import type { Namespace } from '../cluster/namespace.ts'
import { sourceOf } from '../kube/collection.ts'
import type { ControllerKube } from '../kube/client.ts'
import type { Page } from '../kube/follower.ts'
import { collectionBy } from '../kube/requests.ts'
import { barePod, deniedDeployment, type Around } from './overlooked.ts'
import type { Beat } from './watchdog.ts'

/** How many there were at the last look; undefined before it. */
export interface Counts {
  bare: number | undefined
  denied: number | undefined
}

export interface BeatsOptions {
  readonly kube: Pick<ControllerKube, 'send' | 'watcher'>
  readonly namespace: (name: string) => Namespace | undefined
  readonly config: () => ClusterConfig
  readonly counts: Counts
}

const pagesOf = (
  { send, watcher }: BeatsOptions['kube'],
  path: string,
  labelSelector: string,
): AsyncIterable<Page<JsonObject>> =>
  sourceOf(watcher, {
    ...collectionBy(send, path, { labelSelector }),
    read: (object) => (isObject(object) ? object : undefined),
  }).list()

export const beatsOf = ({ kube, namespace, config, counts }: BeatsOptions): readonly Beat[] => {
  const around = (): Around => ({ config: config(), namespace })
  // Without companions the controller is about nobody.
  const listed = (path: string, labelSelector = '') =>
    config().companions && pagesOf(kube, path, labelSelector)
  return [
    {
      pages: () => listed('/api/v1/pods', `${INJECTED_LABEL}!=true`),
      judge: (pod) => barePod(pod, around()),
      says: 'pods run without the sidecar that they ask for',
      found: (count) => {
        counts.bare = count
      },
    },
    {
      pages: () => listed('/apis/apps/v1/deployments'),
      judge: (deployment) => deniedDeployment(deployment, around()),
      says: 'the pods of Deployments are denied',
      found: (count) => {
        counts.denied = count
      },
    },
  ]
}
