// An injected pod, as much of it as companions need: a bounded part of what may be megabytes. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import { objectAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { INJECTED_LABEL, SERVER_LABEL } from '../../shared/names.ts'
import { stringsOf } from '../cluster/namespace.ts'
import { isGated } from '../inject/gate.ts'
import { ownAccountName } from '../inject/own-account.ts'
import { controllerOf, isOver, ownSidecar } from '../inject/pod.ts'
import { isOurs } from '../settings/scopes.ts'
import { bySpeaker } from '../settings/workload-record.ts'
import { ailmentsOf, type Ailment } from './ailment.ts'
import { isOnHost, needsOf, type Needs } from './needs.ts'

/** As an owner reference names it. */
export interface Owner {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
}

/** That very pod. */
export interface Place {
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

export interface Member extends Place {
  /** The label's value: which workload it is of. */
  readonly server: string
  /** What controls it, or the pod itself where nothing does. */
  readonly owner: Owner
  /** By which policies select it, ours and those of others. */
  readonly labels: Readonly<Record<string, string>>
  /** Whom its annotations let in, by who says so. */
  readonly ingressFrom: { readonly workload?: string; readonly own?: string }
  /** What its ambient mesh is asked for, by its own label. */
  readonly mesh: string | undefined
  /** It was told to end: for as long as it takes it still is one. */
  readonly isEnding: boolean
  /** It runs by an account that its server has for itself. */
  readonly hasOwnAccount: boolean
  /** It waits for its policy. */
  readonly isGated: boolean
  /** Undefined: it cannot be read. */
  readonly needs: Needs | undefined
  /** Its sidecar's image; undefined where it has no sidecar, whatever its labels say. */
  readonly sidecar: string | undefined
  /** What keeps its containers from running. */
  readonly ailments: readonly Ailment[]
}

/** Whether its policy is what it waits for. */
export const isWaiting = ({ isGated, isEnding }: Member): boolean => isGated && !isEnding

export const MESH_LABEL = 'istio.io/dataplane-mode'

/** The API server asks nothing of them but that they are there: whoever writes a reference could say a megabyte. */
const MAX_GROUP_AND_VERSION = 317
const MAX_NAME = 253

/** Undefined where it is not named whole. */
export const ownerIn = (reference: JsonObject): Owner | undefined => {
  const said = (member: string, most = MAX_NAME): string | undefined => {
    const text = stringAt(reference, member)
    return text === undefined || text.length > most ? undefined : text
  }
  const [apiVersion, kind] = [said('apiVersion', MAX_GROUP_AND_VERSION), said('kind')]
  const [name, uid] = [said('name'), said('uid')]
  if (apiVersion === undefined || kind === undefined) return undefined
  return name === undefined || uid === undefined ? undefined : { apiVersion, kind, name, uid }
}

/** What controls an object; undefined where nothing does that is named whole. */
export const ownerOf = (object: JsonObject): Owner | undefined => {
  const reference = controllerOf(object)
  return reference && ownerIn(reference)
}

const INGRESS_FROM = `${PREFIX}ingress-from`

/** Of all that its annotations say, this alone is kept. */
const ingressFromIn = (annotations: JsonObject): Member['ingressFrom'] => {
  const ours = Object.entries(annotations).filter(([name]) => isOurs(name))
  const speakers = bySpeaker(stringsOf(Object.fromEntries(ours)))
  const [workload, own] = [speakers.workload[INGRESS_FROM], speakers.own[INGRESS_FROM]]
  return {
    ...(workload === undefined ? {} : { workload }),
    ...(own === undefined ? {} : { own }),
  }
}

const placeIn = (pod: JsonObject): Place | undefined => {
  const { namespace, name, uid } = objectAt(pod, 'metadata')
  return typeof namespace === 'string' && typeof name === 'string' && typeof uid === 'string'
    ? { namespace, name, uid }
    : undefined
}

/** Undefined for a pod that no companion is about: without our label, over, or on the node's own network. */
export const memberOf = (pod: JsonObject): Member | undefined => {
  const place = placeIn(pod)
  const labels = stringsOf(objectAt(pod, 'metadata', 'labels'))
  const server = labels[SERVER_LABEL]
  if (!place || server === undefined || labels[INJECTED_LABEL] !== 'true') return undefined
  if (isOver(pod) || isOnHost(pod)) return undefined
  const { namespace, name, uid } = place
  return {
    namespace,
    name,
    uid,
    server,
    owner: ownerOf(pod) ?? { apiVersion: 'v1', kind: 'Pod', name, uid },
    labels,
    ingressFrom: ingressFromIn(objectAt(pod, 'metadata', 'annotations')),
    mesh: labels[MESH_LABEL],
    isEnding: stringAt(pod, 'metadata', 'deletionTimestamp') !== undefined,
    hasOwnAccount: stringAt(pod, 'spec', 'serviceAccountName') === ownAccountName(server),
    isGated: isGated(pod),
    needs: needsOf(pod),
    sidecar: stringAt(ownSidecar(pod), 'image'),
    ailments: ailmentsOf(pod),
  }
}
