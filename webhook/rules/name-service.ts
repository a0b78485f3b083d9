// Where the pod's names lead: to the cluster's own resolver, and nowhere by the pod's own word. Pure.

import { at, objectsAt, stringAt } from '../../shared/json.ts'
import { quoted } from './finding.ts'
import type { Check } from './judged.ts'

export const hostAliases: Check = ({ pod }) =>
  objectsAt(pod, 'spec', 'hostAliases').length === 0 ? [] : [{ where: 'pod', found: 'hostAliases' }]

const CLUSTER_DNS: ReadonlySet<string> = new Set(['ClusterFirst', 'ClusterFirstWithHostNet'])

export const dnsConfig: Check = ({ pod }) => {
  const policy = stringAt(pod, 'spec', 'dnsPolicy') ?? 'ClusterFirst'
  const members = ['nameservers', 'searches', 'options'].filter(
    (name) => at(pod, 'spec', 'dnsConfig', name) !== undefined,
  )
  return [
    ...(CLUSTER_DNS.has(policy) ? [] : [{ where: 'pod', found: `dnsPolicy: ${quoted(policy)}` }]),
    ...members.map((name) => ({ where: 'pod', found: `dnsConfig.${name}` })),
  ]
}
