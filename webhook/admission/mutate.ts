// What is ours to change: a pod that is created, and the template of a workload that is written.
// Anything else passes untouched.

import type { JsonObject } from '../../shared/json.ts'
import type { ImageIndex } from '../../shared/image-index.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import { admit } from '../rules/admit.ts'
import { decideWorkload } from '../workload/decide.ts'
import type { Write } from '../workload/history.ts'
import { kindOfResource } from '../workload/kinds.ts'
import { answerReview, type Answered, type Decider, type Surroundings } from './answering.ts'
import type { Review } from './review.ts'

export interface MutateOptions extends Surroundings {
  /** The configuration as it is now. */
  readonly config: () => ClusterConfig
  /** The image index as it is now. */
  readonly images: () => ImageIndex
}

/** What a review is about, where it is ours to answer. */
type Subject =
  | { readonly kind: 'pod'; readonly pod: JsonObject }
  | { readonly kind: 'workload'; readonly write: Write }

const PODS = 'v1/pods'

const subjectOf = ({ operation, resource, object, oldObject }: Review): Subject | undefined => {
  const isCreation = operation === 'CREATE'
  if (!object || !(isCreation || operation === 'UPDATE')) return undefined
  const kind = kindOfResource(resource)
  if (kind) return { kind: 'workload', write: { kind, object, old: oldObject } }
  return isCreation && resource === PODS ? { kind: 'pod', pod: object } : undefined
}

const deciderBy = ({ config, images }: MutateOptions): Decider<Subject, Subject> => ({
  subjectOf,
  makesPods: () => true,
  prepare: (subject) => Promise.resolve(subject),
  decide: (subject, review, namespace) => {
    const now = { ...config(), images: images() }
    if (subject.kind === 'workload') {
      // Its annotations are copied even where the namespace cannot be read.
      const around = { config: now, namespaceName: review.namespace, namespace }
      return { decided: decideWorkload(subject.write, around), recorded: [] }
    }
    return namespace && admit(subject.pod, namespace, now)
  },
})

/** Answers a review. */
export const mutate = (body: Uint8Array, options: MutateOptions): Promise<Answered> =>
  answerReview(body, options, deciderBy(options))
