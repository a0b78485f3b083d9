// Whether something in the cluster enforces NetworkPolicies, by the programs that are known to. Their presence is a sign, never
// proof. Pure.

import { numberAt, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { startWords } from '../survey/workloads.ts'
import { namedBy, type Finding, type Read } from './finding.ts'

const POLICIES = namedBy('NetworkPolicy')

const TRY =
  'try it: in a namespace for tests, a NetworkPolicy with podSelector: {} and policyTypes: [Ingress], and a call from another pod to one there, which has to time out'

interface Known {
  readonly name: RegExp
  readonly called: string
  /** Absent: always. */
  readonly enforces?: (daemonSet: JsonObject) => boolean
}

const wordsIn = (daemonSet: JsonObject): readonly string[] =>
  objectsAt(daemonSet, 'spec', 'template', 'spec', 'containers').flatMap(startWords)

const KNOWN: readonly Known[] = [
  { name: /^cilium$/, called: 'Cilium' },
  { name: /^anetd$/, called: "GKE's Dataplane V2 (Cilium)" },
  { name: /^calico-node$/, called: 'Calico' },
  { name: /^canal$|^rke2-canal$/, called: 'Canal (Calico)' },
  { name: /^antrea-agent$/, called: 'Antrea' },
  { name: /^kube-router$/, called: 'kube-router' },
  { name: /^weave-net$/, called: 'Weave Net' },
  { name: /^ovnkube-node$/, called: 'OVN-Kubernetes' },
  { name: /^kube-ovn-cni$/, called: 'Kube-OVN' },
  { name: /^azure-npm$/, called: "Azure's network policy manager" },
  { name: /^kube-network-policies$/, called: 'kube-network-policies' },
  {
    name: /^aws-node$/,
    called: "Amazon's VPC CNI with its network policy agent",
    enforces: (daemonSet) => wordsIn(daemonSet).includes('--enable-network-policy=true'),
  },
]
/** They bring the network alone. */
const LENIENT = /^(?:kube-flannel(?:-ds.*)?|aws-node)$/

const nameOf = (object: JsonObject): string => stringAt(object, 'metadata', 'name') ?? ''

const countsOf = (daemonSet: JsonObject): readonly [ready: number, desired: number] => [
  numberAt(daemonSet, 'status', 'numberReady') ?? 0,
  numberAt(daemonSet, 'status', 'desiredNumberScheduled') ?? 0,
]

const enforcing = (daemonSets: readonly JsonObject[]): readonly [Known, JsonObject] | undefined => {
  for (const daemonSet of daemonSets) {
    const known = KNOWN.find(
      ({ name, enforces }) => name.test(nameOf(daemonSet)) && (enforces?.(daemonSet) ?? true),
    )
    if (known) return [known, daemonSet]
  }
  return undefined
}

/** By all DaemonSets of the cluster. */
export const judgeNetwork = (read: Read<readonly JsonObject[]>): Finding => {
  if (!read.ok) return POLICIES.unread('DaemonSets', read.error.why)
  const found = enforcing(read.value)
  if (found) {
    const [{ called }, daemonSet] = found
    const [ready, desired] = countsOf(daemonSet)
    return ready < desired
      ? POLICIES.warning(`${called} is ready on ${ready} of ${desired} nodes`, TRY)
      : POLICIES.ok(`${called} runs, which enforces them`)
  }
  const lenient = read.value.find((one) => LENIENT.test(nameOf(one)))
  return lenient
    ? POLICIES.warning(`${nameOf(lenient)} runs, which enforces none by itself`, TRY)
    : POLICIES.warning('no program is known here that enforces them', TRY)
}
