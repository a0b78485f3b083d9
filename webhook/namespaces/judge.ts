// Whoever writes a namespace's object, a new one too, changes what is asked of its pods. Nobody but the floor's groups asks
// less; whoever may is told what becomes of the pods that run. A deletion is never looked at. Pure.

import { isInAny } from '../cluster/asker.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import { isSystem } from '../cluster/namespace.ts'
import { asViolation } from '../rules/admit.ts'
import type { Breach } from '../rules/judge.ts'
import { INJECTION_LABEL } from '../../shared/names.ts'
import { modeWarnings } from '../settings/modes.ts'
import { resolveSettings } from '../settings/resolve.ts'
import { readScope } from '../settings/scopes.ts'
import type { Deny } from '../inject/outcome.ts'
import type { Ruling } from '../rules/ruling.ts'
import { allowed, type Allow } from '../validation/verdict.ts'
import { isOfOurs, loosened, type NamespaceChange } from './change.ts'
import type { Outlooks } from './outlook.ts'
import { countWarnings, injectionWarnings, outlookWarnings, strangerWarnings } from './warnings.ts'

export interface Seen extends Outlooks {
  /** Whether whoever asks may know which pods they are. */
  readonly isNamed: boolean
}

/** What is known of the pods that run; a text says why nothing is. */
export type Known = Seen | string

/** Of a namespace that has none yet. */
export const NO_PODS: Known = { workloads: [], cut: undefined, isNamed: true }

/** What is wrong with the namespace's own words: its pods would be denied for it, one by one. */
export const faultWarnings = (
  { after }: Pick<NamespaceChange, 'after'>,
  { scope, floor }: ClusterConfig,
): readonly string[] => {
  const where = `namespace ${after.name}`
  const own = readScope('namespace', where, after.annotations)
  const { violations } = resolveSettings([scope, own], floor)
  const faults = violations.filter(({ message }) => message.startsWith(`${where}: `))
  return [
    ...own.warnings,
    ...injectionWarnings(after.name, after.labels[INJECTION_LABEL]),
    ...strangerWarnings(after.name, after.labels),
    ...modeWarnings(after),
    ...faults.map(({ message }) => `pods that ask for a server will be denied: ${message}`),
  ]
}

const podWarnings = ({ after: { name } }: NamespaceChange, known: Known): readonly string[] =>
  typeof known === 'string'
    ? [
        `namespace ${name}: pods that run stay as they are until they are made anew; which, is not known: ${known}`,
      ]
    : (known.isNamed ? outlookWarnings : countWarnings)(name, known)

/** What of a change is denied: nothing of it where a group of the floor's makes it. */
const deniedOf = (change: NamespaceChange, config: ClusterConfig): readonly Breach[] =>
  isInAny(change, config.floor.allowLooserNamespaces) ? [] : loosened(change, config)

/** Whether the pods that run are to be looked at: the change is ours, and will be. */
export const needsPods = (change: NamespaceChange, config: ClusterConfig): boolean =>
  !isSystem(change.after, config) && isOfOurs(change) && deniedOf(change, config).length === 0

/** Decides on a change of a namespace. */
export const judgeNamespace = (
  change: NamespaceChange,
  known: Known,
  config: ClusterConfig,
): Ruling<Allow | Deny> => {
  if (isSystem(change.after, config)) {
    return { decided: allowed('system-namespace'), recorded: [] }
  }
  if (!isOfOurs(change)) return { decided: allowed('unchanged'), recorded: [] }
  const denied = deniedOf(change, config)
  if (denied.length > 0) {
    const violations = denied.map(asViolation)
    return { decided: { kind: 'deny', violations, warnings: [] }, recorded: [] }
  }
  const recorded = loosened(change, config)
  const reason = recorded.length > 0 ? 'break-glass' : 'complies'
  const warnings = [...faultWarnings(change, config), ...podWarnings(change, known)]
  return { decided: allowed(reason, warnings), recorded }
}
