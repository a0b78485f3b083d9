// Namespaces whose labels do not say what was meant, workloads without their sidecar, and what the kernels of their nodes can
// keep them to. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import type { JsonObject } from '../../shared/json.ts'
import { INJECTION_LABEL } from '../../shared/names.ts'
import type { ClusterConfig } from '../../webhook/cluster/config.ts'
import { isSystem, namespaceOf, type Namespace } from '../../webhook/cluster/namespace.ts'
import { faultWarnings } from '../../webhook/namespaces/judge.ts'
import { injectionWarnings, strangerWarnings } from '../../webhook/namespaces/warnings.ts'
import { modeWarnings } from '../../webhook/settings/modes.ts'
import { plural } from '../output/plural.ts'
import type { Row } from '../status/status.ts'
import { someOf } from './api-server.ts'
import { namedBy, type Finding, type Read } from './finding.ts'

const NAMESPACES = namedBy('namespaces')
const MAX_TOLD = 10

const bearsOurs = ({ labels, annotations }: Namespace): boolean =>
  [labels, annotations].some((keys) => Object.keys(keys).some((key) => key.startsWith(PREFIX)))

const faultsOf = (namespace: Namespace, config: ClusterConfig | undefined): readonly string[] =>
  config
    ? faultWarnings({ after: namespace }, config)
    : [
        ...injectionWarnings(namespace.name, namespace.labels[INJECTION_LABEL]),
        ...strangerWarnings(namespace.name, namespace.labels),
        ...modeWarnings(namespace),
      ]

/** Of those that bear a word of ours. */
export const judgeNamespaces = (
  read: Read<readonly JsonObject[]>,
  config: ClusterConfig | undefined,
): readonly Finding[] => {
  if (!read.ok) return [NAMESPACES.unread('namespaces', read.error.why)]
  const all = read.value.map(namespaceOf)
  const ours = all.filter((one) => bearsOurs(one) && !(config && isSystem(one, config)))
  const faults = ours.flatMap((one) => faultsOf(one, config))
  const more = faults.length - MAX_TOLD
  const told = faults
    .slice(0, MAX_TOLD)
    .map((fault) => NAMESPACES.fault(fault, 'correct the label or annotation on the namespace'))
  if (more > 0) return [...told, NAMESPACES.fault(`and ${more} more`, 'correct those first')]
  return told.length > 0
    ? told
    : [
        NAMESPACES.ok(
          `${plural(ours.length, 'namespace')} of ${all.length} bear words of ours, all right`,
        ),
      ]
}

const SIDECARS = namedBy('sidecars')

/** By what `outrigger status -A` lists. */
export const judgeRows = (rows: Read<readonly Row[]>): Finding => {
  if (!rows.ok) return SIDECARS.unread('pods and workloads', rows.error.why)
  const of = (state: Row['state']): readonly string[] =>
    rows.value
      .filter((row) => row.state === state)
      .map(({ namespace, kind, name }) => `${namespace}: ${kind} ${name}`)
  const [bare, other] = [of('bare'), of('other')]
  const advice = '`outrigger status -A` has the lines that make their pods anew'
  if (bare.length > 0) {
    return SIDECARS.fault(`running without the sidecar that they ask for: ${someOf(bare)}`, advice)
  }
  return other.length > 0
    ? SIDECARS.warning(
        `running with another than the configuration names: ${someOf(other)}`,
        advice,
      )
    : SIDECARS.ok(`${plural(rows.value.length, 'workload')} under Outrigger, none without it`)
}

/** What a sidecar says of the kernel that it runs on; undefined where it could not be asked. */
export interface Enforcement {
  readonly node: string
  readonly state: string | undefined
}

const CONFINEMENT = namedBy('confinement')

/** By one sidecar a node; one that observes alone asks nothing of its kernel. */
export const judgeEnforcement = (read: Read<readonly Enforcement[]>): Finding => {
  if (!read.ok) return CONFINEMENT.unread('which pods have sidecars', read.error.why)
  const told = read.value
  const of = (state: string | undefined): readonly string[] =>
    told.filter((one) => one.state === state).map(({ node }) => node)
  const [enforced, advisory, silent] = [of('enforced'), of('advisory'), of(undefined)]
  if (advisory.length > 0) {
    return CONFINEMENT.warning(
      `the kernel cannot keep servers to what they declare on ${someOf(advisory)}`,
      'give these nodes a kernel that can (sidecar/shim/README.md says what it needs)',
    )
  }
  if (silent.length > 0) {
    return CONFINEMENT.warning(
      `no sidecar of ${someOf(silent)} could be asked what its kernel can do`,
      'scrape its metrics: outrigger_egress_enforcement on port 15201',
    )
  }
  return enforced.length > 0
    ? CONFINEMENT.ok(`the kernel keeps servers to what they declare on ${someOf(enforced)}`)
    : CONFINEMENT.ok(
        'no sidecar runs that keeps a server to what it declares: nothing is known of kernels',
      )
}
