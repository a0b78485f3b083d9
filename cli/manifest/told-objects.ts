// What there is to be said of a manifest's objects besides what becomes of their pods: what is near to something known and is
// not that, a Namespace's own words that do not say what was meant, and what a NetworkPolicy opens. Pure.

import { stringAt, type JsonObject } from '../../shared/json.ts'
import type { ClusterConfig } from '../../webhook/cluster/config.ts'
import { isSystem, namespaceOf } from '../../webhook/cluster/namespace.ts'
import { faultWarnings } from '../../webhook/namespaces/judge.ts'
import type { Violation } from '../../webhook/settings/violation.ts'
import { nameOf } from '../../webhook/workload/kinds.ts'
import { nearMisses } from './near-misses.ts'
import type { ManifestOptions } from './manifest.ts'
import { verdictOnPolicy, type PolicyVerdict } from './network-policies.ts'
import type { Manifest } from './read-manifest.ts'
import { objectsOf } from './templates.ts'

export interface ReportedViolation {
  readonly code: string
  /** The rule that it breaks, where it breaks one. */
  readonly rule?: string
  readonly message: string
}

export const reported = ({ code, rule, message }: Violation): ReportedViolation =>
  rule === undefined ? { code, message } : { code, rule, message }

export interface ToldObject {
  /** `FILE: document 2: Deployment everything` */
  readonly where: string
  /** The line where its document begins. */
  readonly line: number
  /** `Deployment everything` */
  readonly name: string
  readonly warnings: readonly string[]
  readonly violations: readonly ReportedViolation[]
}

type Told = readonly [JsonObject, PolicyVerdict]

const namespaceWarnings = (object: JsonObject, config: ClusterConfig): readonly string[] => {
  const after = namespaceOf(object)
  return isSystem(after, config) ? [] : faultWarnings({ after }, config)
}

/** Those of which there is something. */
export const toldObjects = (
  { documents, lined, known }: Manifest,
  options: Pick<ManifestOptions, 'config' | 'namespace'>,
): readonly ToldObject[] =>
  documents.flatMap(({ value, where, tree }) => {
    const warned = (object: JsonObject, warnings: readonly string[]): Told => [
      object,
      { violations: [], warnings },
    ]
    const told: readonly Told[] = [
      warned(value, nearMisses(value)),
      ...objectsOf('Namespace', value).map((object) =>
        warned(object, namespaceWarnings(object, options.config)),
      ),
      ...objectsOf('NetworkPolicy', value).map((object): Told => [
        object,
        verdictOnPolicy(object, known, options),
      ]),
    ]
    const line = lined.lineOf(tree.start)
    return told
      .filter(([, { violations, warnings }]) => violations.length + warnings.length > 0)
      .map(([object, { violations, warnings }]) => {
        const name = `${stringAt(object, 'kind') ?? 'object'} ${nameOf(object)}`
        const denied = violations.map(reported)
        return { where: `${where}: ${name}`, line, name, warnings, violations: denied }
      })
  })
