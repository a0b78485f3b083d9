// What is only judged: pods as they will be stored, changes of running pods and of namespaces, who gets into a pod, and which
// NetworkPolicies of others stand beside ours. Anything else passes.

import { objectAt, stringAt, type JsonObject } from '../../shared/json.ts'
import type { ImageIndex } from '../../shared/image-index.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import type { Asker } from '../cluster/asker.ts'
import { bareNamespace, namespaceOf, optsIn, type Namespace } from '../cluster/namespace.ts'
import type { RunningPods } from '../cluster/running-pods.ts'
import type { PolicyWrite } from '../companions/policy-write.ts'
import type { NamespaceChange } from '../namespaces/change.ts'
import { judgeNamespace, needsPods, NO_PODS, type Known } from '../namespaces/judge.ts'
import { lookAtPods } from '../namespaces/look.ts'
import { judgeConnection, type Connection } from '../validation/connection.ts'
import { judgeCreated } from '../validation/created.ts'
import type { Guarded, GuardedLooks } from '../validation/guarded.ts'
import { judgePolicy, needsGuarded } from '../validation/policy.ts'
import { isInjected, judgeUpdated, type Change } from '../validation/updated.ts'
import { answerReview, type Answered, type Decider, type Surroundings } from './answering.ts'
import type { Review } from './review.ts'

export interface ValidateOptions extends Surroundings {
  /** The configuration as it is now. */
  readonly config: () => ClusterConfig
  /** What it was a moment ago, each with the image index of then: pods may have been rendered by it. */
  readonly earlier?: () => readonly ClusterConfig[]
  /** The image index as it is now. */
  readonly images: () => ImageIndex
  /** Absent where nobody can read them. */
  readonly pods?: RunningPods
  readonly guarded?: GuardedLooks
  /** Resolves after a time; never keeps the process. */
  readonly sleep?: (ms: number) => Promise<unknown>
}

type OfPod =
  | { readonly kind: 'created'; readonly pod: JsonObject }
  | { readonly kind: 'updated'; readonly change: Change }

/** A connection, as far as its review tells. */
type Asked = Omit<Connection, 'isInjected'>

interface NamespaceWrite {
  readonly change: NamespaceChange
  readonly asker: Asker
  /** It is created: nothing runs in it. */
  readonly isNew: boolean
}

/** As a review tells it. */
type Subject =
  | OfPod
  | { readonly kind: 'policy'; readonly write: PolicyWrite }
  | { readonly kind: 'connection'; readonly asked: Asked }
  | { readonly kind: 'namespace'; readonly write: NamespaceWrite }

/** With what was read of pods. */
type Ready =
  | OfPod
  | {
      readonly kind: 'policy'
      readonly write: PolicyWrite
      readonly guarded: Guarded | undefined
    }
  | { readonly kind: 'connection'; readonly connection: Connection }
  | { readonly kind: 'namespace'; readonly change: NamespaceChange; readonly known: Known }

const [POD, NAMESPACE] = ['v1/pods', 'v1/namespaces']
const POLICY = 'networking.k8s.io/v1/networkpolicies'
const UPDATED: ReadonlySet<string> = new Set([
  POD,
  'v1/pods/status',
  'v1/pods/ephemeralcontainers',
  'v1/pods/resize',
])
/** A finalizer that is taken off comes by a subresource, and may bring labels with it. */
const NAMESPACES: ReadonlySet<string> = new Set([
  NAMESPACE,
  'v1/namespaces/status',
  'v1/namespaces/finalize',
])
const CONNECTION = /^v1\/pods\/(exec|attach|portforward|proxy)$/

const connectionOf = ({ resource, object, asker, origin }: Review): Subject | undefined => {
  const how = CONNECTION.exec(resource)?.[1]
  if (how === undefined) return undefined
  const name = origin.name ?? ''
  return { kind: 'connection', asked: { how, name, options: object ?? {}, groups: asker.groups } }
}

const policyOf = (object: JsonObject, before: JsonObject | undefined): Subject => {
  const name = stringAt(object, 'metadata', 'name') ?? stringAt(object, 'metadata', 'generateName')
  const spec = before && objectAt(before, 'spec')
  const write = { name: name ?? '', before: spec, after: objectAt(object, 'spec') }
  return { kind: 'policy', write }
}

/** A namespace that is created asks for nothing before. */
const createdOf = ({ resource, asker }: Review, object: JsonObject): Subject | undefined => {
  if (resource === POD) return { kind: 'created', pod: object }
  if (resource === POLICY) return policyOf(object, undefined)
  if (resource !== NAMESPACE) return undefined
  const after = namespaceOf(object)
  const change = { before: bareNamespace(after.name), after, groups: asker.groups }
  return { kind: 'namespace', write: { change, asker, isNew: true } }
}

const updateOf = (
  { resource, oldObject, asker }: Review,
  object: JsonObject,
): Subject | undefined => {
  const [before, { groups }] = [oldObject ?? {}, asker]
  if (UPDATED.has(resource)) {
    return { kind: 'updated', change: { before, after: object, groups } }
  }
  if (resource === POLICY) return policyOf(object, oldObject)
  if (!NAMESPACES.has(resource)) return undefined
  const change = { before: namespaceOf(before), after: namespaceOf(object), groups }
  return { kind: 'namespace', write: { change, asker, isNew: false } }
}

const subjectOf = (review: Review): Subject | undefined => {
  const { operation, object } = review
  if (operation === 'CONNECT') return connectionOf(review)
  if (!object) return undefined
  if (operation === 'CREATE') return createdOf(review, object)
  return operation === 'UPDATE' ? updateOf(review, object) : undefined
}

/** The pods that run, where somebody changes what is asked of them. */
const knownOf = async (
  { change, asker, isNew }: NamespaceWrite,
  namespace: Namespace | undefined,
  { config, images, pods, sleep = forever, now }: ValidateOptions,
): Promise<Known> => {
  if (isNew) return NO_PODS
  if (!needsPods(change, config())) return UNSEEN
  // What leads to a pod tells what speaks in it.
  const around = namespace?.services ? { services: namespace.services } : {}
  const { before, after, groups } = change
  const whole = { before: { ...before, ...around }, after: { ...after, ...around }, groups }
  const inForce = { ...config(), images: images() }
  return lookAtPods(whole, { config: inForce, pods, asker, sleep, now })
}

/** Whether the pod is one of ours, where not all of its namespace are; one that cannot be read counts as such. */
const isOurs = async (
  name: string,
  namespace: Namespace | undefined,
  { pods }: ValidateOptions,
): Promise<boolean> => {
  if (!pods || !namespace || optsIn(namespace)) return true
  const pod = await pods.get(namespace.name, name).catch(() => 'unknown' as const)
  return pod === 'unknown' || (pod !== undefined && isInjected(pod))
}

/** Whom it may be about, where that decides anything. */
const guardedOf = async (
  write: PolicyWrite,
  namespace: Namespace | undefined,
  { config, guarded, sleep = forever }: ValidateOptions,
): Promise<Guarded | undefined> =>
  namespace && needsGuarded(write, namespace, config())
    ? (guarded?.at(namespace.name, sleep) ?? UNREADABLE)
    : undefined

/** Reads the pods that a decision needs. */
const preparedBy =
  (options: ValidateOptions) =>
  async (subject: Subject, namespace: Namespace | undefined): Promise<Ready> => {
    if (subject.kind === 'namespace') {
      const { change } = subject.write
      const known = await knownOf(subject.write, namespace, options)
      return { kind: 'namespace', change, known }
    }
    if (subject.kind === 'policy') {
      const { write } = subject
      return { kind: 'policy', write, guarded: await guardedOf(write, namespace, options) }
    }
    if (subject.kind !== 'connection') return subject
    const { asked } = subject
    const connection = { ...asked, isInjected: await isOurs(asked.name, namespace, options) }
    return { kind: 'connection', connection }
  }

const UNSEEN = 'nobody has looked'
const UNREADABLE = 'nobody can list its pods here'
const forever = (): Promise<unknown> => new Promise(() => undefined)

const deciderBy = (options: ValidateOptions): Decider<Subject, Ready> => ({
  subjectOf,
  makesPods: ({ kind }) => kind === 'created',
  prepare: preparedBy(options),
  decide: (ready, _review, namespace) => {
    const { config: current, earlier, images } = options
    const config = { ...current(), images: images() }
    if (ready.kind === 'namespace') return judgeNamespace(ready.change, ready.known, config)
    if (!namespace) return undefined
    if (ready.kind === 'policy')
      return judgePolicy(ready.write, ready.guarded, { namespace, config })
    if (ready.kind === 'connection') return judgeConnection(ready.connection, namespace, config)
    if (ready.kind === 'updated') return judgeUpdated(ready.change, namespace, config)
    const generations = [config, ...(earlier?.() ?? [])] as const
    return judgeCreated(ready.pod, namespace, generations)
  },
})

/** Answers a review. */
export const validate = (body: Uint8Array, options: ValidateOptions): Promise<Answered> =>
  answerReview(body, options, deciderBy(options))
