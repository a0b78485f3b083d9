// What is to stand beside a workload whose pods are injected, and does not. Pure.

import { stringAt, type JsonObject } from '../../shared/json.ts'
import { MANAGED_LABEL, MANAGER } from '../../shared/names.ts'
import { memberOf } from '../../webhook/companions/member.ts'
import { companionName, HEADLESS } from '../../webhook/cluster/companion-name.ts'

/** Those that stand, ours alone: `NAMESPACE KIND/NAME`. */
export type Standing = ReadonlySet<string>

export const standingAmong = (objects: readonly JsonObject[]): Standing =>
  new Set(
    objects
      .filter((object) => stringAt(object, 'metadata', 'labels', MANAGED_LABEL) === MANAGER)
      .map(
        (object) =>
          `${stringAt(object, 'metadata', 'namespace')} ${stringAt(object, 'kind')}/${stringAt(object, 'metadata', 'name')}`,
      ),
  )

/** A policy and two Services. */
const wantedFor = (server: string): readonly string[] => [
  `NetworkPolicy/${companionName(server)}`,
  `Service/${companionName(server)}`,
  `Service/${companionName(server, HEADLESS)}`,
]

/** By the pods of a workload: for those on their way out nothing is made anew. Undefined where none is to stand. */
export const missingFor = (
  pods: readonly JsonObject[],
  standing: Standing,
): readonly string[] | undefined => {
  const members = pods.flatMap((pod) => memberOf(pod) ?? []).filter(({ isEnding }) => !isEnding)
  if (members.length === 0) return undefined
  const wanted = members.flatMap(({ namespace, server }) =>
    wantedFor(server).map((name) => [namespace, name] as const),
  )
  return [
    ...new Set(
      wanted
        .filter(([namespace, name]) => !standing.has(`${namespace} ${name}`))
        .map(([, name]) => name),
    ),
  ]
}
