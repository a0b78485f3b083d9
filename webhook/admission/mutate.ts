// One review from body to answer: read it, find the namespace, render, respond. Fails closed: what
// cannot be read or looked up is refused, never let through unjudged. Only the creation of a pod is
// ours to change; anything else that reaches us passes untouched.

import type { ClusterConfig } from '../cluster/config.ts'
import type { Outcome } from '../inject/outcome.ts'
import type { ImageIndex } from '../../shared/image-index.ts'
import { render } from '../inject/render.ts'
import type { JsonObject } from '../../shared/json.ts'
import type { Namespace, Namespaces } from '../cluster/namespace.ts'
import { messageOf } from '../../shared/message.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { allow, denialMessage, reasonOf, refuse, respond } from './response.ts'
import { parseReview, type Origin, type Refused, type Review } from './review.ts'

export interface MutateOptions {
  readonly config: ClusterConfig
  /** The image index as it is now. */
  readonly images: () => ImageIndex
  readonly namespaces: Namespaces
}

export interface Answer {
  readonly document: JsonObject
  readonly decision: 'inject' | 'skip' | 'deny' | 'refuse' | 'ignore'
  readonly reason: string
  /** What was wrong, in words; undefined where nothing was. */
  readonly cause: string | undefined
  readonly origin: Origin
}

const PODS = 'v1/pods'
const REFUSED_CODES = { malformed: 400, 'too-large': 413 } as const

/** Answers a review; the error is a body that has no uid to answer to. */
export const mutate = async (
  body: Uint8Array,
  options: MutateOptions,
): Promise<Result<Answer, Refused>> => {
  const review = parseReview(body)
  if (review.ok) return ok(await answerReview(review.value, options))
  const { origin, reason, message } = review.error
  if (origin.uid === undefined) return fail(review.error)
  const document = refuse(origin.uid, REFUSED_CODES[reason], message)
  return ok({ document, decision: 'refuse', reason, cause: message, origin })
}

const answerReview = async (review: Review, options: MutateOptions): Promise<Answer> => {
  const { uid, origin, operation, resource, object } = review
  if (operation !== 'CREATE' || resource !== PODS || !object) {
    const [decision, reason] = ['ignore', 'not-a-pod-creation'] as const
    return { document: allow(uid), decision, reason, cause: undefined, origin }
  }
  const namespace = await lookUp(review.namespace, options.namespaces)
  if (!namespace.ok) {
    const { message, cause } = namespace.error
    const [decision, reason] = ['refuse', 'namespace-unknown'] as const
    return { document: refuse(uid, 503, message), decision, reason, cause, origin }
  }
  const config = { ...options.config, images: options.images() }
  const outcome = render(object, namespace.value, config)
  const [decision, reason, cause] = [outcome.kind, reasonOf(outcome), causeOf(outcome)]
  return { document: respond(uid, outcome), decision, reason, cause, origin }
}

const causeOf = (outcome: Outcome): string | undefined =>
  outcome.kind === 'deny' ? denialMessage(outcome) : undefined

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
