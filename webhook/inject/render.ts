// The injection of one pod: raw JSON in, a decision out. Pure and total: it never throws for a
// pod's sake, and fails closed: what cannot be rendered right is denied. The webhook, the CLI and
// the tests all call this and nothing else.

import { PREFIX } from '../../shared/annotations.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import { at, objectAt, type JsonObject } from '../../shared/json.ts'
import { stringsOf, type Namespace } from '../cluster/namespace.ts'
import { resolveSettings } from '../settings/resolve.ts'
import { misplacedLabels, readScope, type ScopeTexts } from '../settings/scopes.ts'
import { applyPlan } from './apply.ts'
import { forgedLabels, isAskedFor, silenceWarnings, skipReason } from './decide.ts'
import { SKIP_REASONS, type Outcome } from './outcome.ts'
import { violation, type Violation } from '../settings/violation.ts'
import { writePatch } from './patch.ts'
import { planInjection } from './plan.ts'
import { shapeFaults } from './shape.ts'
import type { Subject, Workload } from './subject.ts'

// The API server's own limit on all annotations of an object, names and values.
const MAX_ANNOTATION_BYTES = 262_144

/** The scopes that speak for a pod, the cluster's first. */
export const scopesOf = (
  pod: JsonObject,
  namespace: Namespace,
  config: ClusterConfig,
  workload?: Workload,
): readonly ScopeTexts[] => {
  // What was copied from the workload still speaks for the workload.
  const own = Object.entries(stringsOf(objectAt(pod, 'metadata', 'annotations'))).filter(
    ([name]) => !workload?.copied?.includes(name),
  )
  return [
    config.scope,
    readScope('namespace', `namespace ${namespace.name}`, namespace.annotations),
    ...(workload
      ? [readScope('workload', `${workload.kind} ${workload.name}`, workload.annotations)]
      : []),
    readScope('pod', 'pod', Object.fromEntries(own)),
  ]
}

const deny = (violations: readonly Violation[], warnings: readonly string[]): Outcome => ({
  kind: 'deny',
  violations,
  warnings,
})

const leave = (
  subject: Subject,
  scopes: readonly ScopeTexts[],
  warnings: readonly string[],
): Outcome | undefined => {
  const { resolution } = subject
  // It asks for something, and nobody can tell what: then everything else that is wrong is told with it.
  const isUnclear = resolution.violations.some(({ message }) =>
    message.includes(`${PREFIX}inject:`),
  )
  const reason = skipReason(subject)
  if (reason === undefined) return undefined
  if (reason === 'not-opted-in' && isUnclear) {
    return deny(resolution.violations, warnings)
  }
  const forged = forgedLabels(subject)
  if (forged.length > 0 && reason !== 'system-namespace') return deny(forged, warnings)
  const silence = reason === 'not-opted-in' ? silenceWarnings(scopes) : []
  return { kind: 'skip', reason, warnings: [...warnings, ...silence] }
}

const annotationBytes = (pod: JsonObject): number =>
  Object.entries(stringsOf(at(pod, 'metadata', 'annotations'))).reduce(
    (sum, [name, text]) => sum + Buffer.byteLength(name) + Buffer.byteLength(text),
    0,
  )

const isUnresolvable = (violations: readonly Violation[]): boolean =>
  violations.some(({ code }) => code === 'no-server' || code === 'no-command')

const inject = (subject: Subject, warnings: readonly string[]): Outcome => {
  const { pod, config, workload } = subject
  const plan = planInjection(subject)
  if (!plan.ok) {
    const isSkipped = isUnresolvable(plan.error) && !isAskedFor(subject)
    if (!isSkipped || config.floor.unresolvable === 'deny') return deny(plan.error, warnings)
    const why = plan.error.map(({ message }) => message)
    return {
      kind: 'skip',
      reason: 'no-server',
      warnings: [...warnings, SKIP_REASONS['no-server'], ...why],
    }
  }
  const after = applyPlan(pod, plan.value, config.floor, workload?.copied ?? [])
  if (annotationBytes(after) > MAX_ANNOTATION_BYTES) {
    const message = `pod: its annotations and Outrigger's status together exceed ${MAX_ANNOTATION_BYTES} bytes; make them shorter`
    return deny([violation('too-large', message)], warnings)
  }
  const patch = writePatch(pod, after)
  if (!patch.ok)
    return deny(
      [violation('internal', `pod: ${patch.error}; this is a fault of Outrigger's`)],
      warnings,
    )
  return {
    kind: 'inject',
    pod: after,
    patch: patch.value,
    warnings: [...warnings, ...plan.value.warnings],
  }
}

/** Decides on one pod: inject it, leave it alone, or refuse it with every reason. */
export const render = (
  pod: JsonObject,
  namespace: Namespace,
  config: ClusterConfig,
  workload?: Workload,
): Outcome => {
  const faults = shapeFaults(pod)
  if (faults.length > 0) return deny(faults, [])
  const scopes = scopesOf(pod, namespace, config, workload)
  const resolution = resolveSettings(scopes, config.floor)
  const subject: Subject = { pod, namespace, config, workload, resolution }
  const labels = stringsOf(objectAt(pod, 'metadata', 'labels'))
  const warnings = [...resolution.warnings, ...misplacedLabels(labels)]
  return leave(subject, scopes, warnings) ?? inject(subject, warnings)
}
