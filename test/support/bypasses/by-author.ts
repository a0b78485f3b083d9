// What whoever writes a pod may try: less than a server's confinement, our names, our places, the node.

import {
  at,
  objectsAt,
  stringAt,
  stringsAt,
  type Json,
  type JsonObject,
} from '../../../shared/json.ts'
import { BY_MESH, proxy } from './by-mesh.ts'
import {
  adding,
  all,
  annotated,
  ASKING,
  denied,
  helper,
  mended,
  mounting,
  OURS_BY_IMAGE,
  server,
  serverOf,
  set,
  SIDECAR_UID,
  tokenVolume,
  way,
  sidecarOf,
  type Change,
  type Way,
} from './way.ts'

const FORGED_SIDECAR: JsonObject = {
  name: 'outrigger-sidecar',
  image: 'evil.example.com/sidecar',
  command: ['sh', '-c', 'sleep 1d'],
  restartPolicy: 'Always',
  env: [{ name: 'OUTRIGGER_CONFIG', value: '{}' }],
}

const isOwnSidecar = (pod: JsonObject): boolean =>
  sidecarOf(pod)['image'] === 'example.com/sidecar:1' && sidecarOf(pod)['command'] === undefined

const runsShim = (pod: JsonObject): boolean =>
  stringsAt(serverOf(pod), 'command')?.[0] === '/outrigger/bin/shim'

const withPrototype: Change = (pod) => {
  const text = JSON.stringify(pod).replace('"spec":{', '"spec":{"__proto__":{"hostNetwork":true},')
  const parsed: JsonObject = JSON.parse(text)
  return parsed
}

const confinement = (fields: JsonObject): Change =>
  server('securityContext', { runAsUser: 1000, ...fields })

/** Less than a server's confinement, and the node's own. */
const WEAKER: readonly Way[] = [
  way('a privileged server', confinement({ privileged: true }), denied('privileged')),
  way(
    'allowPrivilegeEscalation: true',
    confinement({ allowPrivilegeEscalation: true }),
    denied('privilege-escalation'),
  ),
  way(
    'a capability: SYS_PTRACE',
    confinement({ capabilities: { add: ['SYS_PTRACE'] } }),
    denied('capabilities'),
  ),
  way(
    'capabilities that are dropped but for some',
    confinement({ capabilities: { drop: ['NET_RAW'] } }),
    denied('capabilities'),
  ),
  way('runAsUser: 0', confinement({ runAsUser: 0 }), denied('run-as-non-root')),
  way(
    'runAsUser: 0 of the whole pod',
    set('spec.securityContext', { runAsUser: 0 }),
    denied('run-as-non-root'),
  ),
  way('runAsNonRoot: false', confinement({ runAsNonRoot: false }), denied('run-as-non-root')),
  way(
    'no seccomp profile, for the whole pod',
    set('spec.securityContext', { seccompProfile: { type: 'Unconfined' } }),
    denied('seccomp'),
  ),
  way(
    'no AppArmor profile, by the annotation of old',
    set('metadata.annotations', {
      'outrigger.dev/inject': 'true',
      'container.apparmor.security.beta.kubernetes.io/server': 'unconfined',
    }),
    denied('apparmor'),
  ),
  way(
    'a domain of SELinux that reaches the node',
    confinement({ seLinuxOptions: { type: 'spc_t' } }),
    denied('selinux'),
  ),
  way('procMount: Unmasked', confinement({ procMount: 'Unmasked' }), denied('proc-mount')),
  way(
    'a sysctl that reaches beyond the pod',
    set('spec.securityContext', { sysctls: [{ name: 'kernel.core_pattern', value: '|/x' }] }),
    denied('sysctls'),
  ),
  way('hostNetwork', set('spec.hostNetwork', true), denied('host-namespaces')),
  way('hostPID', set('spec.hostPID', true), denied('host-namespaces')),
  way('hostIPC', set('spec.hostIPC', true), denied('host-namespaces')),
  way('hostPort', server('ports', [{ containerPort: 8000, hostPort: 80 }]), denied('host-ports')),
  way(
    'shareProcessNamespace, to read the sidecar’s memory',
    set('spec.shareProcessNamespace', true),
    denied('process-namespace'),
  ),
  way(
    'a hostPath volume',
    mounting({ name: 'host', hostPath: { path: '/' } }),
    denied('volume-types'),
  ),
  way(
    'a type of volume that nobody knows yet',
    mounting({ name: 'new', fromNextYear: {} }),
    denied('volume-types'),
  ),
  way('Windows, by os', set('spec.os', { name: 'windows' }), denied('linux')),
  way(
    'Windows, by nodeSelector',
    set('spec.nodeSelector', { 'kubernetes.io/os': 'windows' }),
    denied('linux'),
  ),
  way(
    'a process of the node’s on Windows',
    confinement({ windowsOptions: { hostProcess: true } }),
    denied('linux'),
  ),
  way(
    'a helper that is privileged',
    adding('containers', helper({}, { privileged: true })),
    denied('privileged'),
  ),
  way(
    'an init container that is privileged',
    adding('initContainers', helper({}, { privileged: true })),
    denied('privileged'),
  ),
  way(
    'a helper whose probe asks the cloud’s metadata',
    adding(
      'containers',
      helper({ livenessProbe: { httpGet: { host: '169.254.169.254', port: 80 } } }),
    ),
    denied('probe-host'),
  ),
  way(
    'hostUsers: true',
    set('spec.hostUsers', true),
    mended('what every pod has that does not say', isOwnSidecar),
  ),
]

/** The same by empty fields and fields of another type. */
const ODD: readonly Way[] = [
  way(
    'null where a context could stand',
    all(
      server('securityContext', null),
      set('spec.securityContext', null),
      set('spec.initContainers', null),
    ),
    mended(
      'filled in as where it is absent',
      (pod) => at(serverOf(pod), 'securityContext', 'allowPrivilegeEscalation') === false,
    ),
  ),
  way(
    'an empty context',
    server('securityContext', {}),
    mended(
      'filled in as where it is absent',
      (pod) => at(serverOf(pod), 'securityContext', 'readOnlyRootFilesystem') === true,
    ),
  ),
  way('no containers', set('spec.containers', []), denied('no-server')),
  way('null for containers', set('spec.containers', null), denied('no-server')),
  way('a mapping for containers', set('spec.containers', { server: {} }), denied('malformed')),
  way('a text for true', confinement({ privileged: 'true' }), denied('malformed')),
  way('a fraction for a uid', confinement({ runAsUser: 0.5 }), denied('malformed')),
  way(
    'a member named __proto__',
    withPrototype,
    mended(
      'a member like every other',
      (pod) => isOwnSidecar(pod) && at({}, 'hostNetwork') === undefined,
    ),
  ),
  way(
    '300 containers',
    adding(
      'containers',
      ...Array.from({ length: 300 }, (_, index) => helper({ name: `helper-${index}` })),
    ),
    denied('too-large'),
  ),
  way(
    '30,000 variables',
    server(
      'env',
      Array.from({ length: 30_000 }, (_, index): Json => ({ name: `V${index}` })),
    ),
    denied('413'),
  ),
]

/** Our marks, names, volumes, paths, ports and user. */
const OURS: readonly Way[] = [
  way(
    'a forged status',
    annotated('status', '{"version":1,"container":"other"}'),
    mended(
      'written anew',
      (pod) =>
        stringAt(pod, 'metadata', 'annotations', 'outrigger.dev/status') !==
        '{"version":1,"container":"other"}',
    ),
  ),
  way(
    'a forged record of what a workload says',
    annotated('workload', '{"version":1,"copied":{"auth":"none"}}'),
    mended('it only takes back what has its text', isOwnSidecar),
  ),
  way(
    'the mark of an injected pod, without asking for one',
    () => ({ ...ASKING, metadata: { name: 'web', labels: { 'outrigger.dev/injected': 'true' } } }),
    denied('reserved-name'),
  ),
  way(
    'the label of another server',
    set('metadata.labels', { 'outrigger.dev/server': 'deployment-pay' }),
    mended(
      'written anew',
      (pod) => at(pod, 'metadata', 'labels', 'outrigger.dev/server') === 'pod-web',
    ),
  ),
  way(
    'a container by the sidecar’s name',
    adding('containers', helper({ name: 'outrigger-sidecar' })),
    denied('reserved-name'),
  ),
  way(
    'an init container by the sidecar’s name',
    adding('initContainers', helper({ name: 'outrigger-sidecar' })),
    denied('reserved-name'),
  ),
  way(
    'a debug container by the sidecar’s name',
    adding('ephemeralContainers', helper({ name: 'outrigger-sidecar' })),
    denied('reserved-name'),
  ),
  way(
    'a forged sidecar, with another image and command',
    adding('initContainers', FORGED_SIDECAR),
    mended('rendered anew, field by field', isOwnSidecar),
  ),
  way(
    'a name that looks like the sidecar’s',
    adding('initContainers', helper({ name: 'outrigger-sidecar-0', restartPolicy: 'Always' })),
    denied('other-containers'),
    'strict',
  ),
  way(
    'an image that looks like the mesh’s, in an exempt name',
    adding(
      'containers',
      proxy({ image: 'evil.example.com/istio/proxyv2', securityContext: { privileged: true } }),
    ),
    denied('privileged'),
  ),
  way(
    'the mesh’s image with a shell',
    adding(
      'containers',
      proxy({ command: ['sh'], securityContext: { capabilities: { add: ['NET_ADMIN'] } } }),
    ),
    denied('capabilities'),
  ),
  way(
    'the mesh’s image, privileged',
    adding('containers', proxy({ securityContext: { privileged: true } })),
    denied('privileged'),
  ),
  way(
    'the mesh’s image as the sidecar’s user',
    adding('containers', proxy({ securityContext: { runAsUser: SIDECAR_UID } })),
    denied('same-uid'),
  ),
  way(
    'the node’s root directory in the mesh’s proxy',
    all(
      adding('volumes', { name: 'host', hostPath: { path: '/' } }),
      adding('containers', proxy({ volumeMounts: [{ name: 'host', mountPath: '/host' }] })),
    ),
    denied('volume-types'),
  ),
  way(
    'a volume by one of our names',
    mounting({ name: 'outrigger-run', emptyDir: {} }),
    denied('reserved-name'),
  ),
  way(
    'a mount at our directory',
    mounting({ name: 'own', emptyDir: {} }, '/outrigger/run'),
    denied('reserved-path'),
  ),
  way(
    'a mount where its processes have their private directories',
    mounting({ name: 'own', emptyDir: {} }, '/outrigger/homes'),
    denied('reserved-path'),
  ),
  way(
    'the keys by which the replicas of a workload know each other, in the server',
    mounting({ name: 'keys', secret: { secretName: 'outrigger-replicas-deployment-other' } }),
    denied('sidecar-secrets'),
  ),
  way('a mount above it', mounting({ name: 'own', emptyDir: {} }, '/'), denied('reserved-path')),
  way(
    'a mount at it by another spelling',
    mounting({ name: 'own', emptyDir: {} }, '/data/..//outrigger/./bin/'),
    denied('reserved-path'),
  ),
  way(
    'a block device at it',
    all(
      adding('volumes', { name: 'own', persistentVolumeClaim: { claimName: 'x' } }),
      server('volumeDevices', [{ name: 'own', devicePath: '/outrigger/bin' }]),
    ),
    denied('reserved-path'),
  ),
  way(
    'writable-paths that cover it',
    annotated('writable-paths', '/outrigger'),
    denied('reserved-path'),
  ),
  way(
    'a server that could change files anywhere, where only declared ones may change',
    all(
      annotated('file-writes', 'declared'),
      annotated('transport', 'http'),
      annotated('port', '8000'),
      // Of whose command nobody knows.
      server('image', `example.com/web@sha256:${'5'.repeat(64)}`),
      server('command', undefined),
      server('args', undefined),
    ),
    denied('unconfined'),
  ),
  way('one of our ports', server('ports', [{ containerPort: 15_200 }]), denied('reserved-port')),
  way(
    'the port at which replicas hand each other calls',
    server('ports', [{ containerPort: 15_204 }]),
    denied('reserved-port'),
  ),
  way(
    'the sidecar’s own port for the server’s',
    all(annotated('transport', 'http'), annotated('port', '15201')),
    denied('reserved-port'),
  ),
  way('the sidecar’s uid', confinement({ runAsUser: SIDECAR_UID }), denied('same-uid')),
  way(
    'the sidecar’s uid by annotation',
    all(server('securityContext', {}), annotated('run-as-user', String(SIDECAR_UID))),
    denied('same-uid'),
  ),
  way(
    'the sidecar’s uid by the image',
    all(server('securityContext', {}), server('image', `example.com/server@${OURS_BY_IMAGE}`)),
    denied('same-uid'),
  ),
  way('the sidecar’s group', confinement({ runAsGroup: SIDECAR_UID }), denied('same-uid')),
  way(
    'the sidecar’s group by fsGroup',
    set('spec.securityContext', { fsGroup: SIDECAR_UID }),
    denied('same-uid'),
  ),
  way(
    'the sidecar’s group among others',
    set('spec.securityContext', { supplementalGroups: [1, SIDECAR_UID] }),
    denied('same-uid'),
  ),
  way(
    'the shim with words of one’s own in the command',
    server('command', ['/outrigger/bin/shim', 'serve', '--advisory', '--', 'sh']),
    mended('only our own words stand before `--`', (pod) => {
      const words = stringsAt(serverOf(pod), 'command') ?? []
      return runsShim(pod) && !words.slice(0, words.indexOf('--')).includes('--advisory')
    }),
  ),
  way(
    'a hook that runs before anybody has called',
    server('lifecycle', { postStart: { exec: { command: ['sh'] } } }),
    mended('taken off, with a warning', (pod) => at(serverOf(pod), 'lifecycle') === undefined),
  ),
]

/** Tokens, and what only the platform team may allow. */
const LEAVE: readonly Way[] = [
  way(
    'automountServiceAccountToken: true',
    set('spec.automountServiceAccountToken', true),
    denied('floor'),
  ),
  way('a token mounted by hand', mounting(tokenVolume('token', {})), denied('api-token')),
  way(
    'a token mounted by hand, with the API server’s audience',
    mounting(tokenVolume('token', { audience: 'https://kubernetes.default.svc' })),
    denied('api-token'),
  ),
  way(
    'a token mounted by hand, with the cluster’s issuer for an audience',
    mounting(tokenVolume('token', { audience: 'https://cluster.example.com' })),
    denied('api-token'),
  ),
  way(
    'a token under the name that the API server gives its own',
    mounting(tokenVolume('kube-api-access-abcde', {})),
    mended(
      'taken out',
      (pod) => !JSON.stringify(objectsAt(pod, 'spec', 'volumes')).includes('kube-api-access'),
    ),
  ),
  way(
    'needs-kube-api where the floor forbids it',
    annotated('needs-kube-api', 'true'),
    denied('floor'),
  ),
  way('one process for all callers', annotated('process-model', 'shared'), denied('floor')),
  way('paths that pass the sidecar', annotated('open-paths', '/admin'), denied('floor')),
  way('a sidecar as large as a node', annotated('sidecar-memory-limit', '64Gi'), denied('floor')),
  way(
    'an issuer of one’s own',
    all(annotated('auth', 'oidc'), annotated('oidc-issuers', 'https://evil.example.com')),
    denied('not-listed'),
  ),
  way(
    'another server’s public URL',
    all(annotated('auth', 'oidc'), annotated('public-url', 'https://mcp.example.com/pay')),
    denied('not-listed'),
  ),
  way('a value that nobody can read', annotated('inject', 'yes'), denied('bad-value')),
]

/** What only `strict` asks for. */
const STRICT: readonly Way[] = [
  way(
    'an image by its tag',
    server('image', 'example.com/server:1'),
    denied('image-digest'),
    'strict',
  ),
  way(
    'a password in a variable',
    server('env', [{ name: 'DB_PASSWORD', value: 'hunter2' }]),
    denied('secret-literal'),
    'strict',
  ),
  way(
    'limits of 0, which are none',
    server('resources', { limits: { cpu: '0', memory: '0' } }),
    denied('limits'),
    'strict',
  ),
  way(
    'a root file system that can be written',
    confinement({ readOnlyRootFilesystem: false }),
    denied('read-only-root'),
    'strict',
  ),
  way(
    'hostAliases, for an address under an allowed name',
    set('spec.hostAliases', [{ ip: '203.0.113.1', hostnames: ['api.example.com'] }]),
    denied('host-aliases'),
    'strict',
  ),
  way(
    'dnsConfig',
    set('spec.dnsConfig', { nameservers: ['203.0.113.1'] }),
    denied('dns-config'),
    'strict',
  ),
  way('dnsPolicy: None', set('spec.dnsPolicy', 'None'), denied('dns-config'), 'strict'),
  way(
    'the real server beside one that is named as the server',
    all(adding('containers', helper()), annotated('container', 'helper')),
    denied('other-containers'),
    'strict',
  ),
  way(
    'an exec probe of a server that speaks HTTP',
    all(
      annotated('transport', 'http'),
      server('ports', [{ containerPort: 8000 }]),
      server('livenessProbe', { exec: { command: ['sh', '-c', 'id'] } }),
    ),
    denied('unconfined-hooks'),
    'strict',
  ),
  way(
    'a Service that leads to the server’s own port',
    all(annotated('transport', 'http'), server('ports', [{ containerPort: 8000 }])),
    mended('the shim holds the server on loopback, and the sidecar has its port', runsShim),
  ),
]

export const BY_AUTHOR: readonly Way[] = [
  ...WEAKER,
  ...ODD,
  ...OURS,
  ...BY_MESH,
  ...LEAVE,
  ...STRICT,
]
