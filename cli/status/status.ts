// How each workload that is under Outrigger stands: whether its pods have the sidecar that it asks for, and what that was
// told. Pure.

import { arrayAt, numberAt, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import type { ClusterConfig } from '../../webhook/cluster/config.ts'
import { bareNamespace, isSystem, type Namespace } from '../../webhook/cluster/namespace.ts'
import { isGated } from '../../webhook/inject/gate.ts'
import { nameOf, ownSidecar } from '../../webhook/inject/pod.ts'
import { documentOf } from '../../webhook/inject/stand-ins.ts'
import { readStatus } from '../../webhook/inject/status.ts'
import { isAsked, isBare, isOther, isOwed, renewal } from '../../webhook/inject/overdue.ts'
import { missingFor, standingAmong, type Standing } from './companions.ts'
import { lend } from '../manifest/workload.ts'
import type { Owners } from '../survey/owners.ts'
import {
  calledBy,
  flat,
  livePods,
  namedBy,
  namespacesAmong,
  workloadsAmong,
  type Placed,
} from '../survey/workloads.ts'

/**
 * `bare`: asks for the sidecar, and a pod of it runs without. `other`: a pod of it runs with another sidecar than the
 * configuration names. `absent`: asks for it, and no pod of it is there. `inside`: as it is to be.
 */
export const STATES = ['bare', 'other', 'absent', 'inside'] as const
export type State = (typeof STATES)[number]

/** A sidecar of its pods, with what it was told. */
export interface Sidecar {
  readonly image: string
  /** Undefined of what this version cannot read. */
  readonly config: SidecarConfig | undefined
  readonly serverImage: string | undefined
  readonly pods: number
}

export interface Row {
  readonly namespace: string
  readonly kind: string
  readonly name: string
  readonly state: State
  readonly ready: number
  readonly desired: number
  readonly bare: number
  /** Pods that wait for their NetworkPolicy (`companions.gate`). */
  readonly held: number
  /** The ServiceAccounts by which its pods run, the newest pod's first. */
  readonly accounts: readonly string[]
  /** Those that differ, the newest pod's first. */
  readonly sidecars: readonly Sidecar[]
  /** `KIND/NAME` of what is to stand beside its pods and does not; undefined where nothing is to, or nobody knows. */
  readonly missingCompanions: readonly string[] | undefined
  readonly advice: string | undefined
}

export interface Given {
  /** Of objects that name none. */
  readonly namespace: string
  /** Undefined where nobody here knows it. */
  readonly config: ClusterConfig | undefined
  /** NetworkPolicies and Services; undefined where no companions are asked for, or those are not known. */
  readonly companions?: readonly JsonObject[] | undefined
}

const isReady = (pod: JsonObject): boolean =>
  objectsAt(pod, 'status', 'conditions').some(
    (one) => stringAt(one, 'type') === 'Ready' && stringAt(one, 'status') === 'True',
  )

type Counts = Pick<Row, 'ready' | 'desired'>

/** By what their controllers count; of others by their pods. */
const countsOf = (object: JsonObject, pods: readonly JsonObject[]): Counts => {
  const kind = stringAt(object, 'kind')
  if (kind === 'DaemonSet') {
    return {
      ready: numberAt(object, 'status', 'numberReady') ?? 0,
      desired: numberAt(object, 'status', 'desiredNumberScheduled') ?? 0,
    }
  }
  if (kind === 'Deployment' || kind === 'StatefulSet' || kind === 'ReplicaSet') {
    return {
      ready: numberAt(object, 'status', 'readyReplicas') ?? 0,
      desired: numberAt(object, 'spec', 'replicas') ?? 1,
    }
  }
  return { ready: pods.filter(isReady).length, desired: pods.length }
}

/** The server's container, as injection has written down; else the only one. */
const serverImageIn = (pod: JsonObject): string | undefined => {
  const containers = objectsAt(pod, 'spec', 'containers')
  const name = readStatus(pod)?.container
  const named = containers.find((one) => nameOf(one) === name)
  return stringAt(named ?? (containers.length === 1 ? containers[0] : undefined), 'image')
}

const createdAt = (pod: JsonObject): string => stringAt(pod, 'metadata', 'creationTimestamp') ?? ''

const newestFirst = (pods: readonly JsonObject[]): readonly JsonObject[] =>
  pods.toSorted((a, b) => (createdAt(a) < createdAt(b) ? 1 : -1))

const accountsOf = (pods: readonly JsonObject[]): readonly string[] => [
  ...new Set(pods.map((pod) => stringAt(pod, 'spec', 'serviceAccountName') ?? 'default')),
]

/** Those that differ in image or in what they were told. */
const sidecarsOf = (newest: readonly JsonObject[]): readonly Sidecar[] => {
  const seen = newest.flatMap((pod) => {
    const sidecar = ownSidecar(pod)
    if (!sidecar) return []
    const image = stringAt(sidecar, 'image') ?? ''
    const serverImage = serverImageIn(pod)
    const key = JSON.stringify([image, serverImage, arrayAt(sidecar, 'env') ?? []])
    return [{ key, image, serverImage, sidecar }]
  })
  return [...Map.groupBy(seen, ({ key }) => key).values()].flatMap((same) =>
    same.slice(0, 1).map(({ image, serverImage, sidecar }) => ({
      image,
      serverImage,
      config: documentOf(sidecar),
      pods: same.length,
    })),
  )
}

const stateOf = (
  isWanted: boolean,
  bare: number,
  sidecars: readonly Sidecar[],
  config: ClusterConfig | undefined,
): State => {
  if (isWanted && bare > 0) return 'bare'
  if (config && sidecars.some(({ image }) => isOther(image, config))) return 'other'
  return sidecars.length === 0 ? 'absent' : 'inside'
}

const adviceOn = (state: State, placed: Placed): string | undefined =>
  state === 'bare' || state === 'other' ? renewal(state, namedBy(placed)) : undefined

interface Context {
  readonly given: Given
  readonly standing: Standing | undefined
  readonly owners: Owners
  readonly namespaces: ReadonlyMap<string, Namespace>
}

/** Where nobody knows the configuration everything that a namespace asks for is taken for a server. */
const isWantedBy = ({ namespace, template }: Placed, { given, namespaces }: Context): boolean => {
  const { pod } = lend(template)
  const around = namespaces.get(namespace)
  return given.config
    ? isOwed(pod, around ?? bareNamespace(namespace), given.config)
    : isAsked(pod, around)
}

/** Of one workload; of somebody else's controller all its pods. Undefined where it is not under Outrigger. */
const rowOf = (same: readonly [Placed, ...Placed[]], context: Context): Row | undefined => {
  const [first] = same
  const [kind, name] = calledBy(first)
  const { namespace } = first
  const isWanted = same.some((placed) => isWantedBy(placed, context))
  const pods = newestFirst(same.flatMap((placed) => livePods(placed, context.owners)))
  const sidecars = sidecarsOf(pods)
  if (!isWanted && sidecars.length === 0) return undefined
  const bare = isWanted ? pods.filter(isBare).length : 0
  const state = stateOf(isWanted, bare, sidecars, context.given.config)
  const { standing } = context
  return {
    namespace,
    kind,
    name,
    state,
    ...countsOf(first.object, pods),
    bare,
    held: pods.filter(isGated).length,
    accounts: accountsOf(pods),
    sidecars,
    missingCompanions: standing && missingFor(pods, standing),
    advice: adviceOn(state, first),
  }
}

const keyOf = (placed: Placed): string => [placed.namespace, ...calledBy(placed)].join(' ')

const byPlace = (a: Row, b: Row): number =>
  `${a.namespace}/${a.name}/${a.kind}` < `${b.namespace}/${b.name}/${b.kind}` ? -1 : 1

/** Those under Outrigger, by namespace and name. */
export const statusOf = (objects: readonly JsonObject[], given: Given): readonly Row[] => {
  const all = flat(objects)
  const { placed, owners } = workloadsAmong(all, given.namespace)
  const standing = given.companions && standingAmong(given.companions)
  const context = { given, standing, owners, namespaces: namespacesAmong(all) }
  return [...Map.groupBy(placed, keyOf).values()]
    .flatMap(([first, ...others]) => {
      const isLeft = !first || (given.config && isSystem({ name: first.namespace }, given.config))
      return (isLeft ? undefined : rowOf([first, ...others], context)) ?? []
    })
    .toSorted(byPlace)
}
