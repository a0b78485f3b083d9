// The pod that a template stands for, with the annotations that its workload lends it. The same is
// done at admission when a workload itself is annotated: the keys are copied into the template, and
// the status says which, so that taking one off the workload takes it off the template. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import { STATUS_ANNOTATION } from '../../shared/names.ts'
import { readStatus } from '../../webhook/inject/status.ts'
import type { Workload } from '../../webhook/inject/subject.ts'
import { objectAt, stringAt, withAt, type JsonObject } from '../../shared/json.ts'
import { stringsOf } from '../../webhook/cluster/namespace.ts'
import type { Template } from './templates.ts'

export interface LentPod {
  readonly pod: JsonObject
  /** Undefined for a Pod, which is its own workload. */
  readonly workload: Workload | undefined
}

const ours = (annotations: JsonObject): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(stringsOf(annotations)).filter(
      ([name]) => name.startsWith(PREFIX) && name !== STATUS_ANNOTATION,
    ),
  )

const withAnnotation = (pod: JsonObject, name: string, text: string | undefined): JsonObject =>
  withAt(pod, ['metadata', 'annotations', name], text)

/** The template's pod as the workload's annotations complete it. */
export const lend = ({ pod, kind, name, annotations, path }: Template): LentPod => {
  if (path.length === 0 || kind === 'Pod') return { pod, workload: undefined }
  const lent = ours(annotations)
  const before = readStatus(pod)?.copied ?? []
  const bare = before.reduce((current, key) => withAnnotation(current, key, undefined), pod)
  const own = objectAt(bare, 'metadata', 'annotations')
  const copied = Object.keys(lent).filter((key) => stringAt(own, key) === undefined)
  const full = copied.reduce((current, key) => withAnnotation(current, key, lent[key]), bare)
  return { pod: full, workload: { kind, name, annotations: lent, copied } }
}
