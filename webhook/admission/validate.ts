// What is only judged: pods as they will be stored, changes of running pods and of namespaces, and who gets into a pod.
// Anything else passes.

import type { JsonObject } from '../../shared/json.ts'
import type { ImageIndex } from '../../shared/image-index.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import type { Asker } from '../cluster/asker.ts'
import { bareNamespace, namespaceOf, optsIn, type Namespace } from '../cluster/namespace.ts'
import type { RunningPods } from '../cluster/running-pods.ts'
import type { NamespaceChange } from '../namespaces/change.ts'
import { judgeNamespace, needsPods, NO_PODS, type Known } from '../namespaces/judge.ts'
import { lookAtPods } from '../namespaces/look.ts'
import { judgeConnection, type Connection } from '../validation/connection.ts'
import { judgeCreated } from '../validation/created.ts'
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
  /** Resolves after a time; never keeps the process. */
  readonly sleep?: (ms: number) => Promise<unknown>
}

type Subject =
  | { readonly kind: 'created'; readonly pod: JsonObject }
  | { readonly kind: 'updated'; readonly change: Change }
  | { readonly kind: 'connection'; readonly connection: Connection }
  | {
      readonly kind: 'namespace'
      readonly change: NamespaceChange
      readonly asker: Asker
      /** Undefined: nobody has looked. */
      readonly known: Known | undefined
    }

const [POD, NAMESPACE] = ['v1/pods', 'v1/namespaces']
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
  const connection = { how, name, options: object ?? {}, groups: asker.groups, isInjected: true }
  return { kind: 'connection', connection }
}

/** One that is created asks for nothing before, and has no pods. */
const createdOf = ({ resource, asker }: Review, object: JsonObject): Subject | undefined => {
  if (resource === POD) return { kind: 'created', pod: object }
  if (resource !== NAMESPACE) return undefined
  const after = namespaceOf(object)
  const change = { before: bareNamespace(after.name), after, groups: asker.groups }
  return { kind: 'namespace', change, asker, known: NO_PODS }
}

const updateOf = (
  { resource, oldObject, asker }: Review,
  object: JsonObject,
): Subject | undefined => {
  const [before, { groups }] = [oldObject ?? {}, asker]
  if (UPDATED.has(resource)) {
    return { kind: 'updated', change: { before, after: object, groups } }
  }
  if (!NAMESPACES.has(resource)) return undefined
  const change = { before: namespaceOf(before), after: namespaceOf(object), groups }
  return { kind: 'namespace', change, asker, known: undefined }
}

const subjectOf = (review: Review): Subject | undefined => {
  const { operation, object } = review
  if (operation === 'CONNECT') return connectionOf(review)
  if (!object) return undefined
  if (operation === 'CREATE') return createdOf(review, object)
  return operation === 'UPDATE' ? updateOf(review, object) : undefined
}

/** The pods that run, where somebody changes what is asked of them. */
const withPods = async (
  subject: Extract<Subject, { kind: 'namespace' }>,
  namespace: Namespace | undefined,
  { config, images, pods, sleep = forever, now }: ValidateOptions,
): Promise<Subject> => {
  if (subject.known || !needsPods(subject.change, config())) return subject
  // What leads to a pod tells what speaks in it.
  const around = namespace?.services ? { services: namespace.services } : {}
  const { before, after, groups } = subject.change
  const change = { before: { ...before, ...around }, after: { ...after, ...around }, groups }
  const whole = { ...config(), images: images() }
  const { asker } = subject
  return { ...subject, known: await lookAtPods(change, { config: whole, pods, asker, sleep, now }) }
}

/** Whether the pod is one of ours, where not all of its namespace are; one that cannot be read counts as such. */
const withPod = async (
  subject: Extract<Subject, { kind: 'connection' }>,
  namespace: Namespace | undefined,
  { pods }: ValidateOptions,
): Promise<Subject> => {
  if (!pods || !namespace || optsIn(namespace)) return subject
  const { connection } = subject
  const pod = await pods.get(namespace.name, connection.name).catch(() => 'unknown' as const)
  const isOne = pod === 'unknown' || (pod !== undefined && isInjected(pod))
  return { ...subject, connection: { ...connection, isInjected: isOne } }
}

/** Reads the pods that a decision needs. */
const preparedBy =
  (options: ValidateOptions) =>
  async (subject: Subject, namespace: Namespace | undefined): Promise<Subject> => {
    if (subject.kind === 'namespace') return withPods(subject, namespace, options)
    return subject.kind === 'connection' ? withPod(subject, namespace, options) : subject
  }

const UNSEEN = 'nobody has looked'
const forever = (): Promise<unknown> => new Promise(() => undefined)

const deciderBy = (options: ValidateOptions): Decider<Subject> => ({
  subjectOf,
  prepare: preparedBy(options),
  decide: (subject, _review, namespace) => {
    const { config: current, earlier, images } = options
    const config = { ...current(), images: images() }
    if (subject.kind === 'namespace')
      return judgeNamespace(subject.change, subject.known ?? UNSEEN, config)
    if (!namespace) return undefined
    if (subject.kind === 'connection') return judgeConnection(subject.connection, namespace, config)
    if (subject.kind === 'updated') return judgeUpdated(subject.change, namespace, config)
    const generations = [config, ...(earlier?.() ?? [])] as const
    return judgeCreated(subject.pod, namespace, generations)
  },
})

/** Answers a review. */
export const validate = (body: Uint8Array, options: ValidateOptions): Promise<Answered> =>
  answerReview(body, options, deciderBy(options))
