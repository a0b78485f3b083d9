// The injection of one pod: raw JSON in, a decision out. Pure and total: it never throws for a
// pod's sake, and fails closed: what cannot be rendered right is denied. The webhook, the CLI and
// the tests all call this and nothing else.

import type { ClusterConfig } from '../cluster/config.ts'
import { objectAt, type JsonObject } from '../../shared/json.ts'
import { ok } from '../../shared/result.ts'
import { stringsOf, type Namespace } from '../cluster/namespace.ts'
import { resolveSettings } from '../settings/resolve.ts'
import { isOurs, misplacedLabels, readScope, type ScopeTexts } from '../settings/scopes.ts'
import { bySpeaker } from '../settings/workload-record.ts'
import { applyPlan, withStatus } from './apply.ts'
import { forgedLabels, isAskedFor, optOutFaults, silenceWarnings, skipReason } from './decide.ts'
import { annotationBytes, limitFaults, MAX_ANNOTATION_BYTES } from './limits.ts'
import { SKIP_REASONS, type Deny, type Outcome } from './outcome.ts'
import { violation, type Violation } from '../settings/violation.ts'
import { writePatch } from './patch.ts'
import { planInjection, type Plan } from './plan.ts'
import { metadataFaults, specFaults } from './shape.ts'
import { fillContexts } from './security.ts'
import { limitServer } from './server-limits.ts'
import type { Subject, Workload } from './subject.ts'
import { removeToken } from './token.ts'

/** The members of a pod's annotations or labels that bear our prefix: of many that others have put there, none is copied. */
const ours = (pod: JsonObject, field: string): Readonly<Record<string, string>> => {
  const all = objectAt(pod, 'metadata', field)
  const names = Object.keys(all).filter(isOurs)
  return stringsOf(Object.fromEntries(names.map((name) => [name, all[name] ?? null])))
}

/** The scopes that speak for a pod, the cluster's first. */
export const scopesOf = (
  pod: JsonObject,
  namespace: Namespace,
  config: ClusterConfig,
  workload?: Workload,
): readonly ScopeTexts[] => {
  const speakers = bySpeaker(ours(pod, 'annotations'))
  const where = workload ? `${workload.kind} ${workload.name}` : 'workload'
  return [
    config.scope,
    readScope('namespace', `namespace ${namespace.name}`, namespace.annotations),
    // What was copied from the workload still speaks for the workload.
    readScope('workload', where, speakers.workload),
    readScope('pod', 'pod', speakers.own),
  ]
}

const deny = (violations: readonly Violation[], warnings: readonly string[]): Deny => ({
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
  const isUnclear = resolution.violations.some(
    ({ code, key }) => code === 'bad-value' && key === 'inject',
  )
  const reason = skipReason(subject)
  if (reason === undefined) return undefined
  if (reason === 'not-opted-in' && isUnclear) {
    return deny(resolution.violations, warnings)
  }
  const forged = reason === 'system-namespace' ? [] : forgedLabels(subject)
  const faults = [...forged, ...(reason === 'opted-out' ? optOutFaults(subject) : [])]
  if (faults.length > 0) return deny(faults, warnings)
  const silence = reason === 'not-opted-in' ? silenceWarnings(scopes) : []
  return { kind: 'skip', reason, warnings: [...warnings, ...silence] }
}

/** A pod that asks for injection and cannot be judged: too large, or not the shape of a pod. */
const refuse = (pod: JsonObject, warnings: readonly string[]): Outcome | undefined => {
  const limits = limitFaults(pod)
  const faults = limits.length > 0 ? limits : specFaults(pod)
  return faults.length > 0 ? deny(faults, warnings) : undefined
}

const isUnresolvable = (violations: readonly Violation[]): boolean =>
  violations.some(({ code }) => code === 'no-server' || code === 'no-command')

/** What injection would fill in and take off, whatever it lacks besides. */
const fillIn = ({ pod, config }: Subject): JsonObject =>
  removeToken(fillContexts(pod, config.floor))

/** What comes of a plan; whoever writes nothing needs no status, and no operations. */
const carryOut = (
  { pod, config }: Subject,
  plan: Plan,
  warnings: readonly string[],
  isWritten: boolean,
): Outcome => {
  const applied = applyPlan(pod, plan, config.floor)
  const after = isWritten ? withStatus(pod, applied, plan) : applied
  if (annotationBytes(after) > MAX_ANNOTATION_BYTES) {
    const message = `pod: its annotations and Outrigger's status together exceed ${MAX_ANNOTATION_BYTES} bytes; make them shorter`
    return deny([violation('too-large', message)], warnings)
  }
  const told = [...warnings, ...plan.warnings]
  const patch = isWritten ? writePatch(pod, after) : ok([])
  if (!patch.ok) {
    const message = `pod: ${patch.error}; this is a fault of Outrigger's`
    return deny([violation('internal', message)], told)
  }
  const { server, mayHaveToken, ownCertificate, isEgressEnforced } = plan
  const parts = { server, mayHaveToken, ownCertificate, isEgressEnforced }
  return { kind: 'inject', pod: after, ...parts, patch: patch.value, warnings: told }
}

const inject = (subject: Subject, warnings: readonly string[], isWritten: boolean): Outcome => {
  const { config } = subject
  const limited = limitServer(subject)
  const plan = planInjection(limited)
  if (plan.ok) return carryOut(subject, plan.value, warnings, isWritten)
  const isSkipped = isUnresolvable(plan.error) && !isAskedFor(subject)
  if (!isSkipped || config.floor.unresolvable === 'deny')
    return { ...deny(plan.error, warnings), filled: fillIn(limited.subject) }
  const why = plan.error.map(({ message }) => message)
  return {
    kind: 'skip',
    reason: 'no-server',
    warnings: [...warnings, SKIP_REASONS['no-server'], ...why],
  }
}

type About = Omit<Subject, 'resolution'>

const decide = (about: About, isWritten: boolean): Outcome => {
  const { pod, namespace, config, workload } = about
  const unreadable = metadataFaults(pod)
  if (unreadable.length > 0) return deny(unreadable, [])
  const scopes = scopesOf(pod, namespace, config, workload)
  const subject: Subject = { ...about, resolution: resolveSettings(scopes, config.floor) }
  const warnings = [...subject.resolution.warnings, ...misplacedLabels(ours(pod, 'labels'), 'pod')]
  return (
    leave(subject, scopes, warnings) ??
    refuse(pod, warnings) ??
    inject(subject, warnings, isWritten)
  )
}

/** The same decision for those who write nothing into the pod: it has no status and no operations. */
export const renderUnwritten = (
  pod: JsonObject,
  namespace: Namespace,
  config: ClusterConfig,
): Outcome => decide({ pod, namespace, config, workload: undefined }, false)

/** Decides on one pod: inject it, leave it alone, or refuse it with every reason. */
export const render = (
  pod: JsonObject,
  namespace: Namespace,
  config: ClusterConfig,
  workload?: Workload,
): Outcome => decide({ pod, namespace, config, workload }, true)
