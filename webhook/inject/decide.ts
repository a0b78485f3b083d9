// Whether a pod is to be injected at all: an ordered list of reasons to leave it alone. Only then
// are its other faults the pod's to answer for. Pure.

import { INJECTED_LABEL, INJECTION_LABEL, SERVER_LABEL } from '../../shared/names.ts'
import { at, objectAt } from '../../shared/json.ts'
import { isSystem, optsIn } from '../cluster/namespace.ts'
import type { ScopeTexts } from '../settings/scopes.ts'
import type { SkipReason } from './outcome.ts'
import { violation, type Violation } from '../settings/violation.ts'
import type { Subject } from './subject.ts'

const MIRROR = 'kubernetes.io/config.mirror'

/** Whether the pod or its workload asks for injection itself. */
export const isAskedFor = ({ resolution }: Subject): boolean => resolution.settings.inject === true

/** Why a pod is left alone, or undefined where it is to be injected; the first reason counts. */
export const skipReason = (subject: Subject): SkipReason | undefined => {
  const { pod, namespace, config, resolution } = subject
  if (isSystem(namespace, config)) return 'system-namespace'
  if (at(pod, 'metadata', 'annotations', MIRROR) !== undefined) return 'mirror-pod'
  if (resolution.settings.inject === false) return 'opted-out'
  return isAskedFor(subject) || optsIn(namespace) ? undefined : 'not-opted-in'
}

/** A pod that opts out where its namespace asks for all of them: the floor's to allow. */
export const optOutFaults = (subject: Subject): readonly Violation[] => {
  const { config, namespace, resolution } = subject
  if (config.floor.allowOptOut || !optsIn(namespace)) return []
  const where = resolution.placed.get('inject')?.where ?? 'pod'
  const message = `${where}: outrigger.dev/inject: \`false\` is forbidden by the cluster configuration where the namespace opts in (${namespace.name}: label ${INJECTION_LABEL}=enabled); leave it out, run the pod in another namespace, or ask the platform team for floor.allowOptOut`
  return [violation('floor', message, 'inject')]
}

/** Labels that only injection gives, on a pod that is not injected. */
export const forgedLabels = ({ pod }: Subject): readonly Violation[] =>
  [INJECTED_LABEL, SERVER_LABEL]
    .filter((label) => at(objectAt(pod, 'metadata', 'labels'), label) !== undefined)
    .map((label) =>
      violation(
        'reserved-name',
        `pod: label ${label} is given by injection alone, and this pod is not injected; take it off, or set outrigger.dev/inject: "true"`,
      ),
    )

/** What to say on a pod that bears keys of ours but asks for nothing. */
export const silenceWarnings = (scopes: readonly ScopeTexts[]): readonly string[] => {
  const found = scopes
    .filter(({ scope }) => scope === 'workload' || scope === 'pod')
    .flatMap(({ texts }) => Array.from(texts.keys()))
    .filter((key) => key !== 'inject')
  const keys = [...new Set(found)]
  return keys.length === 0
    ? []
    : [
        `pod: has outrigger.dev/${keys.join(', outrigger.dev/')} but not outrigger.dev/inject: "true": nothing was injected`,
      ]
}
