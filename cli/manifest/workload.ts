// The pod that a template stands for, with the annotations that its workload lends it. The same is
// done at admission when a workload itself is annotated: the keys are copied into the template, and
// the status says which, so that taking one off the workload takes it off the template. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import { STATUS_ANNOTATION } from '../../shared/names.ts'
import { readStatus } from '../../webhook/inject/status.ts'
import type { Workload } from '../../webhook/inject/subject.ts'
import { objectAt, withAt, type JsonObject } from '../../shared/json.ts'
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

/** The template's pod as the workload's annotations complete it. */
export const lend = ({ pod, kind, name, annotations, path }: Template): LentPod => {
  if (path.length === 0 || kind === 'Pod') return { pod, workload: undefined }
  const lent = ours(annotations)
  const before = new Set(readStatus(pod)?.copied)
  const own = Object.entries(objectAt(pod, 'metadata', 'annotations')).filter(
    ([key]) => !before.has(key),
  )
  const texts = new Set(own.filter(([, text]) => typeof text === 'string').map(([key]) => key))
  const copied = Object.keys(lent).filter((key) => !texts.has(key))
  const isUntouched = copied.length === 0 && before.size === 0
  const all = Object.fromEntries([...own, ...copied.map((key) => [key, lent[key] ?? ''] as const)])
  const full = isUntouched ? pod : withAt(pod, ['metadata', 'annotations'], all)
  return { pod: full, workload: { kind, name, annotations: lent, copied } }
}
