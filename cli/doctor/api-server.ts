// Whether the cluster's own programs are of a version that has what we need. Pure.

import { stringAt, type JsonObject } from '../../shared/json.ts'
import { namedBy, type Finding, type Read } from './finding.ts'

/** ValidatingAdmissionPolicy is there for good from 1.30 on. */
const LEAST_SERVER = 30
/** Native sidecars are on unless somebody takes them off from 1.29 on, and for good from 1.33 on. */
const LEAST_KUBELET = 29
const SIDECARS_FOR_GOOD = 33

const SERVER = namedBy('API server')
const KUBELETS = namedBy('kubelets')

const minorOf = (text: string | undefined): number | undefined => {
  const minor = Number.parseInt(text ?? '', 10)
  return Number.isNaN(minor) ? undefined : minor
}

const BETA = `native sidecars are beta there: see that nobody has taken the feature gate SidecarContainers off`

/** By what it says of itself at /version. */
export const judgeServer = (read: Read<JsonObject>): Finding => {
  if (!read.ok) return SERVER.unread('its version', read.error.why)
  const minor = minorOf(stringAt(read.value, 'minor'))
  if (stringAt(read.value, 'major') !== '1' || minor === undefined) {
    return SERVER.warning(
      'it does not say which version it is of',
      `1.${LEAST_SERVER} or newer is needed`,
    )
  }
  if (minor < LEAST_SERVER) {
    return SERVER.fault(
      `it is of version 1.${minor}, which has no ValidatingAdmissionPolicy for good`,
      `upgrade it to 1.${LEAST_SERVER} or newer`,
    )
  }
  return minor < SIDECARS_FOR_GOOD
    ? SERVER.warning(`it is of version 1.${minor}`, BETA)
    : SERVER.ok(`it is of version 1.${minor}: native sidecars and admission policies are there`)
}

const kubeletOf = (node: JsonObject): number | undefined =>
  minorOf(/^v1\.(\d+)/.exec(stringAt(node, 'status', 'nodeInfo', 'kubeletVersion') ?? '')?.[1])

const MAX_NAMED = 5
const nodeName = (node: JsonObject): string => stringAt(node, 'metadata', 'name') ?? '?'

/** Some by name, the rest counted. */
export const someOf = (names: readonly string[]): string =>
  names.length <= MAX_NAMED
    ? names.join(', ')
    : `${names.slice(0, MAX_NAMED).join(', ')} and ${names.length - MAX_NAMED} more`

/** Of all nodes that were listed. */
export const judgeKubelets = (read: Read<readonly JsonObject[]>): Finding => {
  if (!read.ok) return KUBELETS.unread('nodes', read.error.why)
  const olderThan = (least: number): readonly string[] =>
    read.value.filter((node) => (kubeletOf(node) ?? 0) < least).map(nodeName)
  const old = olderThan(LEAST_KUBELET)
  if (old.length > 0) {
    return KUBELETS.fault(
      `older than 1.${LEAST_KUBELET}, without native sidecars: ${someOf(old)}`,
      'upgrade those nodes, or keep MCP servers off them',
    )
  }
  const beta = olderThan(SIDECARS_FOR_GOOD)
  if (beta.length > 0)
    return KUBELETS.warning(`older than 1.${SIDECARS_FOR_GOOD}: ${someOf(beta)}`, BETA)
  return read.value.length === 0
    ? KUBELETS.warning('there is no node', 'no server runs without one')
    : KUBELETS.ok(`all ${read.value.length} have native sidecars`)
}
