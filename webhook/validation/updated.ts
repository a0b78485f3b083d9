// A running pod that is changed: its labels, annotations, images, resources, or a container put into
// it. Only what gets worse counts, so that nothing keeps a pod from ending that was let in before. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import { INJECTED_LABEL, SIDECAR_CONTAINER } from '../../shared/names.ts'
import { at, isSame, objectAt, type JsonObject } from '../../shared/json.ts'
import { isInAny } from '../cluster/asker.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import { isSystem, type Namespace } from '../cluster/namespace.ts'
import type { Deny } from '../inject/outcome.ts'
import { countFaults } from '../inject/limits.ts'
import { ownSidecar } from '../inject/pod.ts'
import { asViolation, asWarning } from '../rules/admit.ts'
import { askedIn, breachesOf, sortBreaches, type Breach } from '../rules/judge.ts'
import { judgedStored } from '../rules/judged.ts'
import type { Ruling } from '../rules/ruling.ts'
import { limitOf, RESOURCES } from '../settings/quantity.ts'
import { debuggerBreaches } from './debugger.ts'
import { sidecarChanges } from './own-parts.ts'
import { limitFault } from './sidecar-limits.ts'
import { allowed, type Allow } from './verdict.ts'

export interface Change {
  readonly before: JsonObject
  readonly after: JsonObject
  /** The groups of whoever asks. */
  readonly groups: readonly string[]
}

const FIELDS = [['spec'], ['metadata', 'labels'], ['metadata', 'annotations']] as const

const isUnchanged = ({ before, after }: Change): boolean =>
  FIELDS.every((path) => isSame(at(before, ...path) ?? {}, at(after, ...path) ?? {}))

/** Keys of ours that are set, changed or taken off. */
const ownKeys = ({ before, after }: Change): readonly Breach[] =>
  (['annotations', 'labels'] as const).flatMap((field) => {
    const [was, is] = [objectAt(before, 'metadata', field), objectAt(after, 'metadata', field)]
    return [...new Set([...Object.keys(was), ...Object.keys(is)])]
      .filter((name) => name.startsWith(PREFIX) && at(was, name) !== at(is, name))
      .map((name) => ({
        rule: 'own-keys' as const,
        where: 'pod',
        found: `${field.slice(0, -1)} ${name.slice(0, 120)} changes`,
      }))
  })

/** A sidecar keeps limits, within the floor, and its memory is not taken from under it. */
const sidecarResources = (
  { before, after }: Change,
  { floor }: Pick<ClusterConfig, 'floor'>,
): readonly Breach[] => {
  const [was, is] = [ownSidecar(before), ownSidecar(after)]
  return RESOURCES.flatMap((name) => {
    const path = ['resources', 'limits', name] as const
    if (isSame(at(was, ...path), at(is, ...path))) return []
    const found =
      limitFault(is, name, floor) ?? (name === 'memory' ? shrunkMemory(was, is) : undefined)
    return found === undefined
      ? []
      : [{ rule: 'sidecar' as const, where: `container ${SIDECAR_CONTAINER}`, found }]
  })
}

const shrunkMemory = (
  was: JsonObject | undefined,
  is: JsonObject | undefined,
): string | undefined => {
  const [before, after] = [was, is].map((one) => limitOf(at(one, 'resources', 'limits', 'memory')))
  return before !== undefined && after !== undefined && after < before
    ? 'resources.limits.memory gets less, and is in use'
    : undefined
}

/** What is broken, whatever stands there: another value that breaks the same is no worse. */
const keyOf = ({ rule, where, part = '' }: Breach): string => `${rule}\n${where}\n${part}`

/** Rules that the pod keeps to now and would break then. */
const newBreaches = (
  change: Change,
  namespace: Namespace,
  config: ClusterConfig,
): readonly Breach[] => {
  const [was, is] = [change.before, change.after].map((pod) =>
    breachesOf(judgedStored(pod, config), askedIn(namespace, config)),
  )
  const before = new Set((was ?? []).map(keyOf))
  return (is ?? []).filter((each) => !before.has(keyOf(each)))
}

/** Whether there is a server of ours in it. */
export const isInjected = (pod: JsonObject): boolean =>
  ownSidecar(pod) !== undefined || at(pod, 'metadata', 'labels', INJECTED_LABEL) !== undefined

const isBeingDeleted = ({ after }: Change): boolean =>
  at(after, 'metadata', 'deletionTimestamp') !== undefined

/** While it is being deleted a pod may run on for long, and its marks are looked at still: nothing else. */
const breachesBy = (
  change: Change,
  namespace: Namespace,
  config: ClusterConfig,
): readonly Breach[] => [
  ...ownKeys(change),
  ...(isInjected(change.before) && !isBeingDeleted(change)
    ? [
        ...sidecarChanges(change.before, change.after),
        ...sidecarResources(change, config),
        ...debuggerBreaches(change, config.images),
        ...newBreaches(change, namespace, config),
      ]
    : []),
]

/** What of a change nobody may do, break-glass or not: forge our marks, or change what stands in front of the server. */
const ALWAYS: ReadonlySet<string> = new Set(['own-keys', 'sidecar'])

const reasonFor = (change: Change): Allow['reason'] => {
  if (isBeingDeleted(change)) return 'being-deleted'
  return isInjected(change.before) ? 'complies' : 'not-injected'
}

/** Decides on a change of a pod. */
export const judgeUpdated = (
  change: Change,
  namespace: Namespace,
  config: ClusterConfig,
): Ruling<Allow | Deny> => {
  const leave = (reason: Allow['reason']) => ({ decided: allowed(reason), recorded: [] })
  if (isSystem(namespace, config)) return leave('system-namespace')
  if (isUnchanged(change)) return leave('unchanged')
  // None that ours has seen created; what is judged below is bounded by it.
  const large = countFaults(change.after)
  if (large.length > 0) {
    return { decided: { kind: 'deny', violations: large, warnings: [] }, recorded: [] }
  }
  const { enforce, warn, audit } = sortBreaches(
    breachesBy(change, namespace, config),
    namespace,
    config,
  )
  const breaksGlass = isInAny(change, config.floor.allowBreakGlass)
  const denied = enforce.filter(({ rule }) => !breaksGlass || ALWAYS.has(rule))
  const warnings = warn.map(asWarning)
  if (denied.length > 0) {
    return {
      decided: { kind: 'deny', violations: denied.map(asViolation), warnings },
      recorded: audit,
      warned: warn,
    }
  }
  const reason = reasonFor(change)
  return {
    decided: allowed(enforce.length > 0 ? 'break-glass' : reason, warnings),
    recorded: [...enforce, ...audit],
    warned: warn,
  }
}
