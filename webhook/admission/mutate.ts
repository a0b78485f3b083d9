// One review from body to answer: read it, find the namespace, render, respond. Fails closed: what
// cannot be read or looked up is refused, never let through unjudged. Ours to change are a pod that
// is created and the template of a workload that is written; anything else passes untouched.

import type { ClusterConfig } from '../cluster/config.ts'
import type { ImageIndex } from '../../shared/image-index.ts'
import type { JsonObject } from '../../shared/json.ts'
import type { Namespace, Namespaces } from '../cluster/namespace.ts'
import { messageOf } from '../../shared/message.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { admit } from '../rules/admit.ts'
import type { Breach } from '../rules/judge.ts'
import { decideWorkload } from '../workload/decide.ts'
import type { Write } from '../workload/history.ts'
import { kindOfResource } from '../workload/kinds.ts'
import { allow, denialMessage, reasonOf, refuse, respond, type Decided } from './response.ts'
import { parseReview, type Origin, type Refused, type Review } from './review.ts'

export interface MutateOptions {
  /** The configuration as it is now. */
  readonly config: () => ClusterConfig
  /** The image index as it is now. */
  readonly images: () => ImageIndex
  readonly namespaces: Namespaces
  /** Milliseconds of a steady clock. */
  readonly now: () => number
}

export interface Answer {
  readonly document: JsonObject
  readonly decision: Decided['kind'] | 'refuse' | 'ignore'
  readonly reason: string
  /** What was wrong, in words; undefined where nothing was. */
  readonly cause: string | undefined
  readonly origin: Origin
}

export interface Mutated {
  /** The error is a body that has no uid to answer to. */
  readonly answer: Result<Answer, Refused>
  /** For how long nobody else could be served: reading and judging, without the wait for a namespace. */
  readonly busyMs: number
}

/** What a review is about, where it is ours to answer. */
type Subject =
  | { readonly kind: 'pod'; readonly pod: JsonObject }
  | { readonly kind: 'workload'; readonly write: Write }

const PODS = 'v1/pods'
const REFUSED_CODES = { malformed: 400, 'too-large': 413 } as const

/** Answers a review. */
export const mutate = async (body: Uint8Array, options: MutateOptions): Promise<Mutated> => {
  const { config, images, namespaces, now } = options
  const start = now()
  const review = parseReview(body)
  const read = now()
  if (!review.ok) return { answer: answerRefused(review.error), busyMs: read - start }
  const subject = subjectOf(review.value)
  if (!subject) return { answer: ok(ignore(review.value)), busyMs: read - start }
  const namespace = await lookUp(review.value.namespace, namespaces)
  const found = now()
  const answer = answerReview(review.value, subject, namespace, { ...config(), images: images() })
  return { answer: ok(answer), busyMs: read - start + (now() - found) }
}

const answerRefused = (refused: Refused): Result<Answer, Refused> => {
  const { origin, reason, message } = refused
  if (origin.uid === undefined) return fail(refused)
  const document = refuse(origin.uid, REFUSED_CODES[reason], message)
  return ok({ document, decision: 'refuse', reason, cause: message, origin })
}

const subjectOf = ({ operation, resource, object, oldObject }: Review): Subject | undefined => {
  const isCreation = operation === 'CREATE'
  if (!object || !(isCreation || operation === 'UPDATE')) return undefined
  const kind = kindOfResource(resource)
  if (kind) return { kind: 'workload', write: { kind, object, old: oldObject } }
  return isCreation && resource === PODS ? { kind: 'pod', pod: object } : undefined
}

const ignore = ({ uid, origin }: Review): Answer => ({
  document: allow(uid),
  decision: 'ignore',
  reason: 'not-ours',
  cause: undefined,
  origin,
})

const answerReview = (
  review: Review,
  subject: Subject,
  namespace: Result<Namespace, Unknown>,
  config: ClusterConfig,
): Answer => {
  const { uid, origin } = review
  if (subject.kind === 'workload') {
    // Its annotations are copied even where the namespace cannot be read.
    const known = namespace.ok ? namespace.value : undefined
    const around = { config, namespaceName: review.namespace, namespace: known }
    return answerWith(review, decideWorkload(subject.write, around))
  }
  if (!namespace.ok) {
    const { message, cause } = namespace.error
    const [decision, reason] = ['refuse', 'namespace-unknown'] as const
    return { document: refuse(uid, 503, message), decision, reason, cause, origin }
  }
  const { outcome, recorded } = admit(subject.pod, namespace.value, config)
  return answerWith(review, outcome, recorded)
}

const answerWith = (
  { uid, origin }: Review,
  decided: Decided,
  recorded: readonly Breach[] = [],
): Answer => ({
  document: respond(uid, decided, recorded),
  decision: decided.kind,
  reason: reasonOf(decided),
  cause: decided.kind === 'deny' ? denialMessage(decided) : undefined,
  origin,
})

interface Unknown {
  /** For whoever created the pod. */
  readonly message: string
  /** For whoever runs the webhook. */
  readonly cause: string
}

const lookUp = async (
  name: string,
  namespaces: Namespaces,
): Promise<Result<Namespace, Unknown>> => {
  const quoted = JSON.stringify(name)
  try {
    const namespace = await namespaces.get(name)
    if (namespace) return ok(namespace)
    const message = `Outrigger finds no namespace ${quoted}; try again`
    return fail({ message, cause: 'the API server knows no such namespace' })
  } catch (error) {
    const message = `Outrigger could not read the namespace ${quoted}; try again`
    return fail({ message, cause: messageOf(error) })
  }
}
