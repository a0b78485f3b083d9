// The decision on one write to a workload: what its template gets of the workload's annotations,
// and what its author should know of the pods to come. It refuses only what the API server would
// refuse after it; all else are warnings, for the pods are judged when they come. Pure.

import type { ClusterConfig } from '../cluster/config.ts'
import { annotationBytes, MAX_ANNOTATION_BYTES } from '../inject/limits.ts'
import { writePatch } from '../inject/patch.ts'
import { at, isSame, withAt, type JsonObject } from '../../shared/json.ts'
import { isSystem, type Namespace } from '../cluster/namespace.ts'
import { tooLateWarnings, undoneWarnings, type Write } from './history.ts'
import { isControlled, nameOf, templateOf, type WorkloadKind } from './kinds.ts'
import type { Leave, WorkloadOutcome } from './outcome.ts'
import { violation } from '../settings/violation.ts'
import { previewWarnings } from './preview.ts'
import { placeOf, propagate, type Propagation } from './propagate.ts'

export interface Surroundings {
  readonly config: ClusterConfig
  readonly namespaceName: string
  /** Undefined where it could not be read: then nothing can be said of the pods to come. */
  readonly namespace: Namespace | undefined
}

const leave = (reason: Leave['reason'], warnings: readonly string[] = []): Leave => ({
  kind: 'skip',
  reason,
  warnings,
})

const reasonToLeave = ({ object }: Write, around: Surroundings): Leave['reason'] | undefined => {
  if (isSystem({ name: around.namespaceName }, around.config)) return 'system-namespace'
  if (at(object, 'metadata', 'deletionTimestamp') !== undefined) return 'being-deleted'
  return isControlled(object) ? 'controlled' : undefined
}

/** Nothing new is to be said of pods whose template this write does not change. */
const podWarnings = (
  { kind, object, old }: Write,
  { after }: Propagation,
  { namespace, config }: Surroundings,
): readonly string[] => {
  if (old && isSame(after, templateOf(old, kind))) return []
  if (!namespace) {
    return [`${placeOf(object, kind)}: its namespace could not be read: its pods were not checked`]
  }
  const workload = { kind: kind.kind, name: nameOf(object) }
  return previewWarnings(after, workload, namespace, config)
}

/** As much of the object as is written: the work is measured by its annotations. */
const metadataAlone = ({ path }: WorkloadKind, template: JsonObject): JsonObject => {
  const metadata = at(template, 'metadata')
  return withAt({}, path, metadata === undefined ? {} : { metadata })
}

const write = (
  { kind, object }: Write,
  { before, after }: Propagation,
  warnings: readonly string[],
): WorkloadOutcome => {
  const [was, is] = [metadataAlone(kind, before), metadataAlone(kind, after)]
  if (isSame(was, is)) return leave('unchanged', warnings)
  const where = placeOf(object, kind)
  if (annotationBytes(after) > MAX_ANNOTATION_BYTES) {
    const message = `${where}: its annotations, copied into the template, exceed ${MAX_ANNOTATION_BYTES} bytes there; make them shorter`
    return { kind: 'deny', violations: [violation('too-large', message)], warnings }
  }
  const patch = writePatch(was, is)
  if (patch.ok) return { kind: 'propagate', patch: patch.value, warnings }
  const message = `${where}: ${patch.error}; this is a fault of Outrigger's`
  return { kind: 'deny', violations: [violation('internal', message)], warnings }
}

/** Decides on one write to a workload. */
export const decideWorkload = (written: Write, around: Surroundings): WorkloadOutcome => {
  const reason = reasonToLeave(written, around)
  if (reason !== undefined) return leave(reason)
  const { object, kind, old } = written
  const propagation = propagate(object, kind)
  if (!propagation) return leave('no-template')
  if (kind.kind === 'Job' && old) return leave('immutable', tooLateWarnings(written))
  const warnings = [
    ...undoneWarnings(written, propagation),
    ...propagation.warnings,
    ...podWarnings(written, propagation, around),
  ]
  return write(written, propagation, warnings)
}
