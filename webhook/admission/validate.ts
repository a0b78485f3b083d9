// What is only judged: pods as they will be stored, changes of running pods, and who gets into one.
// Anything else passes.

import type { JsonObject } from '../../shared/json.ts'
import type { ImageIndex } from '../../shared/image-index.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import { judgeConnection, type Connection } from '../validation/connection.ts'
import { judgeCreated } from '../validation/created.ts'
import { judgeUpdated, type Change } from '../validation/updated.ts'
import { answerReview, type Answered, type Decider, type Surroundings } from './answering.ts'
import type { Review } from './review.ts'

export interface ValidateOptions extends Surroundings {
  /** The configuration as it is now. */
  readonly config: () => ClusterConfig
  /** What it was a moment ago, each with the image index of then: pods may have been rendered by it. */
  readonly earlier?: () => readonly ClusterConfig[]
  /** The image index as it is now. */
  readonly images: () => ImageIndex
}

type Subject =
  | { readonly kind: 'created'; readonly pod: JsonObject }
  | { readonly kind: 'updated'; readonly change: Change }
  | { readonly kind: 'connection'; readonly connection: Connection }

const UPDATED: ReadonlySet<string> = new Set([
  'v1/pods',
  'v1/pods/status',
  'v1/pods/ephemeralcontainers',
  'v1/pods/resize',
])
const CONNECTION = /^v1\/pods\/(exec|attach|portforward|proxy)$/

const connectionOf = ({ resource, object, groups, origin }: Review): Subject | undefined => {
  const how = CONNECTION.exec(resource)?.[1]
  if (how === undefined) return undefined
  const connection = { how, name: origin.name ?? '', options: object ?? {}, groups }
  return { kind: 'connection', connection }
}

const subjectOf = (review: Review): Subject | undefined => {
  const { operation, resource, object, oldObject, groups } = review
  if (operation === 'CONNECT') return connectionOf(review)
  if (!object) return undefined
  if (operation === 'CREATE' && resource === 'v1/pods') return { kind: 'created', pod: object }
  if (operation !== 'UPDATE' || !UPDATED.has(resource)) return undefined
  return { kind: 'updated', change: { before: oldObject ?? {}, after: object, groups } }
}

const deciderBy = ({ config: current, earlier, images }: ValidateOptions): Decider<Subject> => ({
  subjectOf,
  decide: (subject, _review, namespace) => {
    if (!namespace) return undefined
    const config = { ...current(), images: images() }
    if (subject.kind === 'connection') return judgeConnection(subject.connection, namespace, config)
    if (subject.kind === 'updated') return judgeUpdated(subject.change, namespace, config)
    const generations = [config, ...(earlier?.() ?? [])] as const
    return judgeCreated(subject.pod, namespace, generations)
  },
})

/** Answers a review. */
export const validate = (body: Uint8Array, options: ValidateOptions): Promise<Answered> =>
  answerReview(body, options, deciderBy(options))
