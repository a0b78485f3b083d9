// What a pod with a server in it must keep to: the rules' words. Ids are stable (messages, SARIF, audit
// annotations, test rows); the reference page is printed from this table, and how each is checked
// stands in webhook/rules.

import type { Level } from './modes.ts'

export type Severity = 'critical' | 'high' | 'medium'

export interface Rule {
  /** From which level on it is asked for. */
  readonly level: Level
  readonly severity: Severity
  /** It is asked for at every level where what a server reaches is enforced (`egress-mode: enforce`): it would be gone around. */
  readonly byEgress?: true
  /** What must be so. */
  readonly what: string
  /** What could happen else. */
  readonly why: string
  /** What its author changes. */
  readonly fix: string
}

const RULE_TABLE = {
  sidecar: {
    level: 'baseline',
    severity: 'critical',
    what: "the sidecar, its volumes and the server's start are as the cluster configuration renders them",
    why: 'another webhook, or whoever forges our marks, could leave a server without anybody in front of it',
    fix: 'leave what Outrigger writes as it is, and let webhooks that change it run before it; or Outrigger is being rolled out: try again',
  },
  'own-keys': {
    level: 'baseline',
    severity: 'critical',
    what: 'annotations and labels under outrigger.dev/ of a running pod stay as they are',
    why: 'they would say of a pod what is not so, and policies select by them',
    fix: "write them into the workload's template, or make the pod anew",
  },
  'sidecar-access': {
    level: 'baseline',
    severity: 'critical',
    what: 'no debug container enters the sidecar: neither its processes, nor its volumes, nor its user',
    why: "it would read the sidecar's keys and tokens",
    fix: "debug the server's container, with a runAsUser that is not the sidecar's (kubectl debug --custom=FILE) and without Outrigger's volumes",
  },
  'host-namespaces': {
    level: 'baseline',
    severity: 'critical',
    what: 'the pod shares neither network, processes nor memory with its node',
    why: "the server would sit outside every network policy, or see the node's processes",
    fix: 'leave hostNetwork, hostPID and hostIPC out',
  },
  'host-ports': {
    level: 'baseline',
    severity: 'high',
    what: 'no container takes a port of the node',
    why: 'whoever reaches the node goes around Services and policies',
    fix: 'leave hostPort out, and use a Service',
  },
  'process-namespace': {
    level: 'baseline',
    severity: 'critical',
    what: 'the containers do not share their processes',
    why: "the server could read the sidecar's memory and keys",
    fix: 'leave shareProcessNamespace out',
  },
  privileged: {
    level: 'baseline',
    severity: 'critical',
    what: 'no container is privileged',
    why: 'a privileged container is the node',
    fix: 'leave privileged out',
  },
  'privilege-escalation': {
    level: 'baseline',
    severity: 'high',
    what: 'allowPrivilegeEscalation is false in every container',
    why: 'a set-user-id program would give the server more than it was started with',
    fix: 'set allowPrivilegeEscalation: false',
  },
  capabilities: {
    level: 'baseline',
    severity: 'high',
    what: 'every container drops ALL capabilities and adds none but NET_BIND_SERVICE',
    why: 'a capability is a part of what root may do',
    fix: 'set capabilities: { drop: ["ALL"] }, and add nothing',
  },
  'run-as-non-root': {
    level: 'baseline',
    severity: 'high',
    what: 'every container is known not to run as root',
    why: "root in a container is one fault of the kernel's away from root on the node",
    fix: 'set runAsNonRoot: true, and another runAsUser than 0 (outrigger.dev/run-as-user where the image runs as root)',
  },
  seccomp: {
    level: 'baseline',
    severity: 'medium',
    what: 'every container has a seccomp profile: RuntimeDefault or Localhost',
    why: 'without one the server may make every system call there is',
    fix: 'set seccompProfile: { type: RuntimeDefault }',
  },
  apparmor: {
    level: 'baseline',
    severity: 'medium',
    what: "no container is without the node's AppArmor profile",
    why: 'Unconfined takes off a wall that the node has',
    fix: 'leave appArmorProfile and its annotation out',
  },
  selinux: {
    level: 'baseline',
    severity: 'medium',
    what: "SELinux options name no user, no role, and no type but a container's",
    why: 'another type reaches files of the node',
    fix: 'leave seLinuxOptions out',
  },
  'proc-mount': {
    level: 'baseline',
    severity: 'high',
    what: "every container's /proc is masked as usual",
    why: "an unmasked one shows and changes the kernel's own settings",
    fix: 'leave procMount out',
  },
  sysctls: {
    level: 'baseline',
    severity: 'medium',
    what: 'the pod sets only sysctls that reach no further than itself',
    why: 'others reach the node and the pods beside it',
    fix: 'leave out all but those of the baseline Pod Security Standard',
  },
  'volume-types': {
    level: 'baseline',
    severity: 'high',
    what: 'volumes are of types that Kubernetes keeps apart from the node',
    why: 'a directory of the node leads to everything on it',
    fix: 'use a configMap, secret, emptyDir, persistentVolumeClaim or another type of the restricted Pod Security Standard',
  },
  'probe-host': {
    level: 'baseline',
    severity: 'medium',
    what: 'probes and hooks ask the pod itself',
    why: 'the kubelet would call any address that the author names, from the node',
    fix: 'leave host out',
  },
  linux: {
    level: 'baseline',
    severity: 'medium',
    what: 'the pod runs on Linux',
    why: 'the shim is a Linux program, and so is every wall above',
    fix: 'leave os.name, windowsOptions and the nodeSelector of Windows out',
  },
  'api-token': {
    level: 'baseline',
    severity: 'high',
    what: "no token for the Kubernetes API but the server's, and that only with needs-kube-api",
    why: 'whoever talks the server into a call has what its ServiceAccount may',
    fix: `take the token's volume out, name the audience that it is for, or set outrigger.dev/needs-kube-api: "true" where the cluster configuration allows it`,
  },
  'cloud-identity': {
    level: 'baseline',
    severity: 'high',
    what: "no token for the pod's cloud but the server's, in a debug container either",
    why: "whoever else runs in the server's pod would be the server to the cloud",
    fix: "take the token's mount out, or ask the platform team for floor.allowSharedIdentity",
  },
  'sidecar-secrets': {
    level: 'baseline',
    severity: 'critical',
    what: "no container but the sidecar names a Secret of the sidecar's: one that it is given, or one called outrigger-…",
    why: "the server would have the keys that guard it, and those of other servers' sidecars",
    fix: 'leave it out; what the server needs goes into a Secret of its own, under another name',
  },
  'proxy-program': {
    level: 'baseline',
    severity: 'high',
    what: "a mesh's proxy, where the platform team exempts it, is told no program, configuration or control plane but its own",
    why: 'under its exemption anything could run beside the server, or lead to it past the sidecar',
    fix: "leave escapes, tags and members that are the platform team's out of proxy.istio.io/config, and the volume istio-podinfo and those of tokens as their webhooks write them",
  },
  'mesh-identity': {
    level: 'baseline',
    severity: 'high',
    what: "what a mesh's proxy, where the platform team exempts it, has its keys in or asks for them with is mounted by the mesh's own containers alone, and of no volume that other pods reach",
    why: 'whoever talks the server into reading a file would have the keys by which the mesh knows the pod, and could use them anywhere',
    fix: "take the mount out: the proxy speaks to the mesh in the server's place; leave the proxy's volumes as its injector writes them",
  },
  'read-only-root': {
    level: 'strict',
    severity: 'medium',
    what: "every container's root file system is read-only",
    why: 'what a caller makes the server write would be there for the next one',
    fix: 'leave readOnlyRootFilesystem out, and name the directories that it writes in outrigger.dev/writable-paths',
  },
  'image-digest': {
    level: 'strict',
    severity: 'high',
    what: 'every image is named by its digest',
    why: 'a tag can be moved to another program after its review',
    fix: "write IMAGE@sha256:…, or record the tag's digest with `outrigger images add IMAGE`",
  },
  'secret-literal': {
    level: 'strict',
    severity: 'high',
    what: 'no secret stands in the pod itself',
    why: "whoever may read pods reads it, and so does every backup and every manifest's history",
    fix: 'put it into a Secret, and take it from there with valueFrom.secretKeyRef',
  },
  limits: {
    level: 'strict',
    severity: 'medium',
    what: 'every container has limits for CPU and memory',
    why: 'one caller could take the node from all others',
    fix: 'set resources.limits.cpu and resources.limits.memory',
  },
  'host-aliases': {
    level: 'strict',
    severity: 'medium',
    byEgress: true,
    what: 'the pod names no addresses for hosts itself',
    why: 'a name that the platform team allows would lead somewhere else',
    fix: 'leave hostAliases out',
  },
  'dns-config': {
    level: 'strict',
    severity: 'medium',
    byEgress: true,
    what: "the pod asks the cluster's DNS and no other",
    why: 'another resolver leads allowed names to other addresses, and carries data out',
    fix: 'leave dnsConfig and dnsPolicy out',
  },
  'other-containers': {
    level: 'strict',
    severity: 'high',
    byEgress: true,
    what: 'nothing runs beside the server but its sidecar',
    why: 'other containers are not confined: they reach what the server may not, and the server itself on loopback without being asked who they are',
    fix: 'move it into a pod of its own, or ask the platform team to exempt it (floor.exemptContainers)',
  },
  'unconfined-hooks': {
    level: 'strict',
    severity: 'medium',
    byEgress: true,
    what: "probes and hooks run nothing in the server's container but the shim, and what that confines",
    why: 'what the kubelet starts there is under no confinement',
    fix: 'use httpGet or tcpSocket, or leave it out',
  },
  'debug-containers': {
    level: 'strict',
    severity: 'high',
    what: 'no container is put into a running pod',
    why: 'it reaches the server without being asked who it is',
    fix: 'ask for a group of floor.allowBreakGlass; at baseline `kubectl debug --profile=restricted` passes, with a runAsUser by --custom=FILE',
  },
  connections: {
    level: 'strict',
    severity: 'high',
    what: 'nobody gets into a pod past its sidecar, by exec, attach, port-forward or proxy',
    why: 'an exec reads what the server may read, and a port-forward goes around who is asked to call it',
    fix: 'read its logs and records, or ask for a group of floor.allowBreakGlass',
  },
  'network-policies': {
    level: 'strict',
    severity: 'high',
    what: "no NetworkPolicy but Outrigger's opens to an injected pod what the policy of its workload closes",
    why: 'policies only add up: whoever it lets in would come past ingress-from, and the server would reach what nobody has declared',
    fix: 'narrow it, have it select other pods, or say what is to be open by outrigger.dev/ingress-from and outrigger.dev/egress of the workload',
  },
  namespaces: {
    level: 'baseline',
    severity: 'critical',
    what: "nobody takes off what a namespace's labels and annotations under outrigger.dev/ ask of its pods",
    why: 'whoever may write the object of his namespace would be free of what the platform team asks there',
    fix: 'leave it, or ask for a group of floor.allowLooserNamespaces',
  },
} as const satisfies Readonly<Record<string, Rule>>

export type RuleId = keyof typeof RULE_TABLE

export const RULES: Readonly<Record<RuleId, Rule>> = RULE_TABLE

export const isRuleId = (word: string): word is RuleId => Object.hasOwn(RULE_TABLE, word)
export const RULE_IDS: readonly RuleId[] = Object.keys(RULE_TABLE).filter(isRuleId)
