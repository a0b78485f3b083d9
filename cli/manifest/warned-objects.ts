// What there is to be said of a manifest's objects besides what becomes of their pods: what is near to something known and is
// not that, and a Namespace's own words that do not say what was meant. Pure.

import { stringAt, type JsonObject } from '../../shared/json.ts'
import type { ClusterConfig } from '../../webhook/cluster/config.ts'
import { isSystem, namespaceOf } from '../../webhook/cluster/namespace.ts'
import { faultWarnings } from '../../webhook/namespaces/judge.ts'
import { nameOf } from '../../webhook/workload/kinds.ts'
import { nearMisses } from './near-misses.ts'
import type { Manifest } from './read-manifest.ts'
import { objectsOf } from './templates.ts'

export interface WarnedObject {
  /** `FILE: document 2: Deployment everything` */
  readonly where: string
  /** The line where its document begins. */
  readonly line: number
  /** `Deployment everything` */
  readonly name: string
  readonly warnings: readonly string[]
}

const namespaceWarnings = (object: JsonObject, config: ClusterConfig): readonly string[] => {
  const after = namespaceOf(object)
  return isSystem(after, config) ? [] : faultWarnings({ after }, config)
}

/** Those of which there is something. */
export const warnedObjects = (
  { documents, lined }: Manifest,
  config: ClusterConfig,
): readonly WarnedObject[] =>
  documents.flatMap(({ value, where, tree }) => {
    const told: readonly (readonly [JsonObject, readonly string[]])[] = [
      [value, nearMisses(value)],
      ...objectsOf('Namespace', value).map(
        (object) => [object, namespaceWarnings(object, config)] as const,
      ),
    ]
    const line = lined.lineOf(tree.start)
    return told
      .filter(([, warnings]) => warnings.length > 0)
      .map(([object, warnings]) => {
        const name = `${stringAt(object, 'kind') ?? 'object'} ${nameOf(object)}`
        return { where: `${where}: ${name}`, line, name, warnings }
      })
  })
