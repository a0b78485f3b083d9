// What no admission of pods can see or change: named in SECURITY.md, each by words that stand there.

import type { Way } from './way.ts'

const cluster = (name: string, words: string): Way => ({
  who: 'whoever has more of the cluster',
  name,
  becomes: { cluster: words },
})

export const BY_CLUSTER: readonly Way[] = [
  cluster('a pod that asks for nothing, in a namespace that does not opt in', 'asks for nothing'),
  cluster(
    'our webhook configurations, policies or namespace are changed',
    'webhook configurations',
  ),
  cluster('a namespace is deleted, and made anew without its labels', 'free of its labels'),
  cluster('a static pod, from a file of the node’s', 'Static pods'),
  cluster('a pod that says it is the mirror of a static one', 'mirror'),
  cluster('an exec through the kubelet (nodes/proxy)', '`nodes/proxy`'),
  cluster('a directory of the node’s as a PersistentVolume', 'PersistentVolume'),
  cluster('a directory of the node’s by a driver of CSI', 'CSI'),
  cluster('a seccomp or AppArmor profile of the node’s that allows everything', 'Localhost'),
  cluster('a RuntimeClass that isolates less', 'RuntimeClass'),
  cluster('a device of the node’s', 'devices'),
  cluster('hostname and subdomain, or labels, for another’s place in a Service', 'hostname'),
  cluster('ownerReferences, for another server’s label', 'ownerReferences'),
  cluster('a token of a ServiceAccount in a Secret', 'A token of a ServiceAccount in a Secret'),
  cluster(
    'the Secret of a workload’s replicas, read or made by somebody else',
    'The replicas of a workload believe each other',
  ),
  cluster('an audience of the API server’s own that nobody has listed', 'audience'),
  cluster(
    'what a mesh’s control plane tells its proxies',
    'What a control plane tells its proxies',
  ),
  cluster('a user whom the image puts into the sidecar’s group', '/etc/group'),
]
