// Pods that are to be made anew: those that ask for the sidecar and run without it, and those that run with another than the
// configuration names; and what makes them anew. Admission sees a pod when it is created, and never again. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import { at, type JsonObject } from '../../shared/json.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import { optsIn, stringsOf, type Namespace } from '../cluster/namespace.ts'
import { isResolved } from '../images/reference.ts'
import { ownSidecar } from './pod.ts'
import { renderUnwritten } from './render.ts'

export const INJECT = `${PREFIX}inject`

/** What kubectl's annotate can reach: a change of these makes new pods. */
export const ROLLS = ['Deployment', 'StatefulSet', 'DaemonSet']

export const isAsked = (pod: JsonObject, namespace: Namespace | undefined): boolean => {
  const own =
    stringsOf(at(pod, 'metadata', 'annotations'))[INJECT] ?? namespace?.annotations[INJECT]
  if (own !== undefined) return own === 'true'
  return namespace !== undefined && optsIn(namespace)
}

export const isBare = (pod: JsonObject): boolean => ownSidecar(pod) === undefined

/** Whether a pod without the sidecar would get it, or be denied, if it came now: a namespace's word is no matter to what is
 * no server where the floor leaves that alone. */
export const isOwed = (pod: JsonObject, namespace: Namespace, config: ClusterConfig): boolean =>
  isAsked(pod, namespace) && renderUnwritten(pod, namespace, config).kind !== 'skip'

/** Whether a sidecar's image is another than the configuration names; with the digest that another webhook has found for its
 * tag it is that one. */
export const isOther = (image: string, config: Pick<ClusterConfig, 'sidecar'>): boolean =>
  image !== config.sidecar.image && !isResolved(image, config.sidecar.image)

/** Whether names are what the API server takes: in a manifest may stand what a shell would run. */
export const isForShell = (...names: readonly string[]): boolean =>
  names.every((name) => /^[a-z0-9][a-z0-9.-]{0,252}$/.test(name))

export interface Named {
  readonly namespace: string
  readonly kind: string
  readonly name: string
}

/** What makes a workload's pods anew; undefined where nothing does but whoever has made it. */
export const restartLine = ({ namespace, kind, name }: Named): string | undefined =>
  ROLLS.includes(kind) && isForShell(namespace, name)
    ? `kubectl rollout restart -n ${namespace} ${kind.toLowerCase()}/${name}`
    : undefined

const ANEW = {
  bare: 'create it anew: its pods were there before it was asked for',
  other: 'create it anew: its pods were there before the configuration named another sidecar',
} as const

/** What is to be done about pods of a workload that are to be made anew. */
export const renewal = (why: keyof typeof ANEW, named: Named): string =>
  restartLine(named) ?? ANEW[why]

const TOLD = {
  bare: 'a pod of it runs without the sidecar that it asks for, so that callers reach the server unguarded',
  other: 'a pod of it runs with another sidecar than the configuration names',
} as const

/** The same as a sentence for whoever owns it. */
export const overdueWords = (why: keyof typeof TOLD, named: Named): string =>
  `${TOLD[why]}: ${renewal(why, named)}`
