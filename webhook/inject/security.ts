// Security contexts: what is absent is filled in; what is weaker in so many words stays, for the rules to
// judge (webhook/rules). Of containers that the floor exempts only what nobody excuses is filled in. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import { SIDECAR_CONTAINER } from '../../shared/names.ts'
import { at, numberAt, stringsAt, withAt, type Json, type JsonObject } from '../../shared/json.ts'
import type { IsEnforced } from '../settings/enforced.ts'
import type { Floor } from '../settings/floor.ts'
import { isExempt } from './exempt.ts'
import { mapContainers, members, nameOf } from './pod.ts'

type Path = readonly [string, ...string[]]

/** Whether the rules apply to a container: not our own, not a mesh's. */
export const isJudged = (container: JsonObject, floor: Floor): boolean =>
  nameOf(container) !== SIDECAR_CONTAINER && !isExempt(container, floor)

/** Members of our own container's context that others may have filled in. */
export const KEPT_SECURITY = ['seLinuxOptions', 'runAsGroup'] as const

const READ_ONLY: Path = ['securityContext', 'readOnlyRootFilesystem']

/** What is weaker than the fill-ins and stays, since only `strict` asks for it. */
export const securityWarnings = (
  pod: JsonObject,
  floor: Floor,
  isEnforced: IsEnforced,
): readonly string[] =>
  isEnforced('read-only-root')
    ? []
    : members(pod)
        .filter(
          ({ container }) => isJudged(container, floor) && at(container, ...READ_ONLY) === false,
        )
        .map(
          ({ name }) =>
            `container ${name}: ${READ_ONLY.join('.')}: false is weaker than what an MCP server gets; leave it out and name the directories that it writes in ${PREFIX}writable-paths`,
        )

/** The containers beside the server whose root file system is made read-only since their specs do not say. */
export const rootWarnings = (pod: JsonObject, server: string, floor: Floor): readonly string[] =>
  members(pod)
    .filter(({ list, name }) => list === 'initContainers' || name !== server)
    .filter(
      ({ container }) => isJudged(container, floor) && at(container, ...READ_ONLY) === undefined,
    )
    .map(
      ({ name }) =>
        `container ${name}: its root file system is made read-only, since its spec does not say otherwise; /tmp is writable, and where else it writes mount a volume`,
    )

/** The uid that a container is known to run as from the spec alone. */
export const uidOf = (pod: JsonObject, container: JsonObject): number | undefined =>
  numberAt(container, 'securityContext', 'runAsUser') ??
  numberAt(pod, 'spec', 'securityContext', 'runAsUser')

/** The group, in the same way. */
export const gidOf = (pod: JsonObject, container: JsonObject): number | undefined =>
  numberAt(container, 'securityContext', 'runAsGroup') ??
  numberAt(pod, 'spec', 'securityContext', 'runAsGroup')

const fill = (object: JsonObject, path: Path, value: Json): JsonObject =>
  at(object, ...path) === undefined ? withAt(object, path, value) : object

/** The pod with the absent fields of its own security context filled in. */
const fillPod = (pod: JsonObject): JsonObject => {
  const nonRoot = fill(pod, ['spec', 'securityContext', 'runAsNonRoot'], true)
  return fill(nonRoot, ['spec', 'securityContext', 'seccompProfile'], { type: 'RuntimeDefault' })
}

const ESCALATION: Path = ['securityContext', 'allowPrivilegeEscalation']
const DROP: Path = ['securityContext', 'capabilities', 'drop']

const dropping = (container: JsonObject): JsonObject =>
  (stringsAt(container, ...DROP) ?? []).length === 0 ? withAt(container, DROP, ['ALL']) : container

/** A container with the absent fields filled in that a pod's context cannot give it. */
const fillContainer = (container: JsonObject): JsonObject =>
  fill(dropping(fill(container, ESCALATION, false)), READ_ONLY, true)

/** Whether root is not ruled out by the spec: it has by itself what others need files of the image for. */
export const mayBeRoot = (pod: JsonObject, container: JsonObject): boolean => {
  const uid = uidOf(pod, container)
  if (uid !== undefined) return uid === 0
  const path: Path = ['securityContext', 'runAsNonRoot']
  return (at(container, ...path) ?? at(pod, 'spec', ...path)) !== true
}

/** Injectors write both; where an author left one out, an exempt root would have a runtime's capabilities. */
const fillExempt = (pod: JsonObject, container: JsonObject): JsonObject => {
  const escalation = fill(container, ESCALATION, false)
  return mayBeRoot(pod, container) ? dropping(escalation) : escalation
}

/** The pod with every context filled in. */
export const fillContexts = (pod: JsonObject, floor: Floor): JsonObject =>
  mapContainers(fillPod(pod), ({ container }) => {
    if (isJudged(container, floor)) return fillContainer(container)
    return isExempt(container, floor) ? fillExempt(pod, container) : container
  })
