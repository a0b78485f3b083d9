// The sidecar's requests and limits, always set, and what they mean for the pod: a Guaranteed pod
// stays Guaranteed, pod-level resources grow by ours. Pure.

import { sizeErrors } from '../../shared/memory-budget.ts'
import type { Settings } from '../../shared/settings.ts'
import { at, objectAt, stringAt, withAt, type JsonObject } from '../../shared/json.ts'
import {
  formatQuantity,
  isSameQuantity,
  parseQuantity,
  quantityOf,
  RESOURCES,
} from '../settings/quantity.ts'
import { violation, type Violation } from '../settings/violation.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import { auditStorage } from './audit.ts'
import { members, nameOf, ownSidecar } from './pod.ts'
import { SIDECAR_CONTAINER } from '../../shared/names.ts'

const SIDES = ['requests', 'limits'] as const

const amount = (resources: JsonObject, side: string, name: string): bigint | undefined =>
  quantityOf(at(resources, side, name))

/** Limits for both resources, and requests that equal them or are left to default to them. */
const isGuaranteed = (resources: JsonObject): boolean =>
  RESOURCES.every((name) => {
    const limit = amount(resources, 'limits', name)
    return limit !== undefined && (amount(resources, 'requests', name) ?? limit) === limit
  })

const hasAny = (resources: JsonObject): boolean =>
  SIDES.some((side) => RESOURCES.some((name) => amount(resources, side, name) !== undefined))

const isGuaranteedPod = (pod: JsonObject): boolean => {
  const own = objectAt(pod, 'spec', 'resources')
  if (hasAny(own)) return isGuaranteed(own)
  return members(pod)
    .filter(({ container }) => nameOf(container) !== SIDECAR_CONTAINER)
    .every(({ container }) => isGuaranteed(objectAt(container, 'resources')))
}

/** The sidecar's resources; texts that somebody else has rewritten or added stay as they are. */
export const sidecarResources = (
  pod: JsonObject,
  settings: Settings,
  config: Pick<ClusterConfig, 'audit'>,
): JsonObject => {
  const limits = {
    cpu: settings['sidecar-cpu-limit'],
    memory: settings['sidecar-memory-limit'],
  }
  const requests = isGuaranteedPod(pod)
    ? limits
    : { cpu: settings['sidecar-cpu-request'], memory: settings['sidecar-memory-request'] }
  const before = objectAt(ownSidecar(pod), 'resources')
  const storage = auditStorage(pod, settings, config)
  return {
    ...before,
    requests: keepTexts(objectAt(before, 'requests'), { ...requests, ...storage.requests }),
    limits: keepTexts(objectAt(before, 'limits'), { ...limits, ...storage.limits }),
  }
}

const keepTexts = (before: JsonObject, ours: Readonly<Record<string, string>>): JsonObject => ({
  ...before,
  ...Object.fromEntries(
    Object.entries(ours).map(([name, text]) => {
      const old = stringAt(before, name)
      return [name, old !== undefined && isSameQuantity(old, text) ? old : text]
    }),
  ),
})

/** Requests above limits, which the API server would refuse with words of its own, and messages above the memory. */
export const resourceViolations = (settings: Settings): readonly Violation[] => [
  ...requestViolations(settings),
  ...sizeErrors(
    settings,
    Number((parseQuantity(settings['sidecar-memory-limit']) ?? 0n) / 10n ** 9n),
  ).map((error) => violation('resources', error)),
]

const requestViolations = (settings: Settings): readonly Violation[] =>
  RESOURCES.flatMap((name) => {
    const [request, limit] = [
      settings[`sidecar-${name}-request`],
      settings[`sidecar-${name}-limit`],
    ]
    return (parseQuantity(request) ?? 0n) > (parseQuantity(limit) ?? 0n)
      ? violation(
          'resources',
          `outrigger.dev/sidecar-${name}-request: \`${request}\` is more than sidecar-${name}-limit \`${limit}\``,
        )
      : []
  })

/** The pod with its pod-level resources, where it has them, raised by what the sidecar is new by. */
export const raisePodResources = (pod: JsonObject, resources: JsonObject): JsonObject => {
  const before = objectAt(ownSidecar(pod), 'resources')
  return SIDES.flatMap((side) => RESOURCES.map((name) => [side, name] as const)).reduce(
    (current, [side, name]) => {
      const total = amount(objectAt(pod, 'spec', 'resources'), side, name)
      const added = (amount(resources, side, name) ?? 0n) - (amount(before, side, name) ?? 0n)
      if (total === undefined || added === 0n) return current
      return withAt(current, ['spec', 'resources', side, name], formatQuantity(total + added, name))
    },
    pod,
  )
}

/** The memory limit of a container in whole bytes; undefined where it has none. */
export const memoryLimitBytes = (server: JsonObject): number | undefined => {
  const limit = amount(objectAt(server, 'resources'), 'limits', 'memory') ?? 0n
  const bytes = Number(limit / 10n ** 9n)
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : undefined
}
