// The pod that a template stands for, with the annotations that its workload lends it: what
// admission does when a workload itself is annotated. Pure.

import type { Workload } from '../../webhook/inject/subject.ts'
import type { JsonObject } from '../../shared/json.ts'
import { nameOf } from '../../webhook/workload/kinds.ts'
import { propagate } from '../../webhook/workload/propagate.ts'
import type { Template } from './templates.ts'

export interface LentPod {
  readonly pod: JsonObject
  /** Undefined for a Pod, which is its own workload. */
  readonly workload: Workload | undefined
  readonly warnings: readonly string[]
}

/** The template's pod as the workload's annotations complete it. */
export const lend = ({ pod, owner }: Template): LentPod => {
  const propagation = owner && propagate(owner.object, owner.kind)
  if (!propagation) return { pod, workload: undefined, warnings: [] }
  const workload = { kind: owner.kind.kind, name: nameOf(owner.object) }
  return { pod: propagation.after, workload, warnings: propagation.warnings }
}
