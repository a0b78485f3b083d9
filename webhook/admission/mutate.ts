// One review from body to answer: read it, find the namespace, render, respond. Fails closed: what
// cannot be read or looked up is refused, never let through unjudged. Only the creation of a pod is
// ours to change; anything else that reaches us passes untouched.

import type { ImageIndex } from '../../shared/image-index.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import { render } from '../inject/render.ts'
import type { JsonObject } from '../../shared/json.ts'
import type { Namespace, Namespaces } from '../cluster/namespace.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { allow, reasonOf, refuse, respond } from './response.ts'
import { parseReview, type Malformed, type Review } from './review.ts'

export interface MutateOptions {
  readonly config: ClusterConfig
  /** The image index as it is now. */
  readonly images: () => ImageIndex
  readonly namespaces: Namespaces
}

export interface Answer {
  readonly document: JsonObject
  readonly decision: string
  readonly reason: string
}

const PODS = 'v1/pods'

/** Answers a review; the error is a body that is no review at all and has no uid to answer to. */
export const mutate = async (
  body: Uint8Array,
  options: MutateOptions,
): Promise<Result<Answer, Malformed>> => {
  const review = parseReview(body)
  if (review.ok) return ok(await answerReview(review.value, options))
  const { uid, message } = review.error
  return uid === undefined
    ? fail(review.error)
    : ok({ document: refuse(uid, 400, message), decision: 'refuse', reason: 'malformed' })
}

const answerReview = async (review: Review, options: MutateOptions): Promise<Answer> => {
  const { uid, operation, resource, object } = review
  if (operation !== 'CREATE' || resource !== PODS || !object) {
    return { document: allow(uid), decision: 'ignore', reason: 'not-a-pod-creation' }
  }
  const namespace = await lookUp(review.namespace, options.namespaces)
  if (!namespace.ok) {
    const document = refuse(uid, 503, namespace.error)
    return { document, decision: 'refuse', reason: 'namespace-unknown' }
  }
  const config = { ...options.config, images: options.images() }
  const outcome = render(object, namespace.value, config)
  return { document: respond(uid, outcome), decision: outcome.kind, reason: reasonOf(outcome) }
}

const lookUp = async (name: string, namespaces: Namespaces): Promise<Result<Namespace, string>> => {
  try {
    const namespace = await namespaces.get(name)
    return namespace
      ? ok(namespace)
      : fail(`Outrigger finds no namespace ${JSON.stringify(name)}; try again`)
  } catch {
    return fail(`Outrigger could not read the namespace ${JSON.stringify(name)}; try again`)
  }
}
