// Who has which labels, found by one of them: of thousands that have labels and thousands that ask for some, each meets few. Pure.

import { at, type JsonObject } from '../../shared/json.ts'
import { stringsOf } from '../../webhook/cluster/namespace.ts'

export type Labels = Readonly<Record<string, string>>

export const labelsOf = (pod: JsonObject): Labels => stringsOf(at(pod, 'metadata', 'labels'))

const marksOf = (labels: Labels): readonly string[] =>
  Object.entries(labels).map(([name, value]) => `${name}=${value}`)

/** Those among whom all who ask for labels of a pod's are. */
export const askingFor = <T>(
  asking: readonly T[],
  selectorOf: (one: T) => Labels,
): ((labels: Labels) => readonly T[]) => {
  const byFirst = Map.groupBy(asking, (one) => marksOf(selectorOf(one))[0])
  return (labels) => marksOf(labels).flatMap((mark) => byFirst.get(mark) ?? [])
}
