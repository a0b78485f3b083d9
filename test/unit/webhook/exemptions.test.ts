import { describe, expect, test } from '@jest/globals'
import { at, objectsAt, stringsAt, type Json, type JsonObject } from '../../../shared/json.ts'
import {
  isExempt,
  pinnedByFloor,
  whyNotExempt,
  withoutTags,
} from '../../../webhook/inject/exempt.ts'
import { render } from '../../../webhook/inject/render.ts'
import { fillContexts } from '../../../webhook/inject/security.ts'
import { breachesOf } from '../../../webhook/rules/judge.ts'
import { judgedPod } from '../../../webhook/rules/judged.ts'
import { clusterConfig } from '../../support/cluster-config.ts'

const OWN = `sha256:${'a'.repeat(64)}`
const OTHER = `sha256:${'b'.repeat(64)}`
const IMAGE = 'docker.io/istio/proxyv2'

const configWith = (exempt: Readonly<Record<string, Json>>) => {
  const floor = {
    exemptContainers: [{ name: 'istio-proxy', image: IMAGE, execs: [LISTED], ...exempt }],
  }
  return clusterConfig({ sidecar: { image: 'x' }, floor })
}
const floorWith = (exempt: Readonly<Record<string, Json>>) => configWith(exempt).floor

const PROXY: JsonObject = {
  name: 'istio-proxy',
  image: `${IMAGE}:1.27@${OWN}`,
  args: ['proxy', 'sidecar'],
  securityContext: { runAsUser: 1337 },
}

const LISTED = ['/bin/ready', '--quick']
const adds = (...add: readonly string[]): JsonObject => ({
  securityContext: { capabilities: { add } },
})

const MINE = { digests: [OWN] }
const TAGGED = { tags: { '1.27': OWN } }
const NETWORK = { ...MINE, excuses: ['capabilities'] }
const execs = (place: string, ...command: readonly string[]): JsonObject =>
  place === 'livenessProbe' || place === 'startupProbe'
    ? { [place]: { exec: { command } } }
    : { lifecycle: { [place]: { exec: { command } } } }
const mounts = (name: string, mountPath: string, readOnly = false): JsonObject => ({
  volumeMounts: [{ name, mountPath, readOnly }],
})
const sets = (name: string, value: string): JsonObject => ({ env: [{ name, value }] })
const TOKENS = '/var/run/secrets/x/b.json'
const CALM =
  '{"concurrency":2,"terminationDrainDuration":"5s","holdApplicationUntilProxyStarts":true}'
const tells = (member: string, value: Json): JsonObject =>
  sets('PROXY_CONFIG', JSON.stringify({ [member]: value }))
const context = (fields: JsonObject): JsonObject => ({ securityContext: fields })

type Entry = Readonly<Record<string, Json>>

const ROWS: readonly (readonly [string, JsonObject, Entry, boolean])[] = [
  ['the mesh’s own', {}, MINE, true],
  ['the mesh’s own, by a tag that the floor knows', { image: `${IMAGE}:1.27` }, TAGGED, true],
  ['its digest, where the floor knows a tag of it', {}, TAGGED, true],
  ['another tag', { image: `${IMAGE}:1.28` }, TAGGED, false],
  ['no tag', { image: IMAGE }, TAGGED, false],
  ['a tag that every object has', { image: `${IMAGE}:constructor` }, TAGGED, false],
  [
    'a tag that the floor knows, before another digest',
    { image: `${IMAGE}:1.27@${OTHER}` },
    TAGGED,
    false,
  ],
  ['another digest', { image: `${IMAGE}@${OTHER}` }, MINE, false],
  ['a tag, where digests are named', { image: `${IMAGE}:1.27` }, MINE, false],
  [
    'a digest that only looks like it',
    { image: `${IMAGE}@${OWN}@${OTHER}` },
    { digests: [OTHER] },
    false,
  ],
  ['another name', { name: 'proxy' }, MINE, false],
  ['another repository', { image: `evil/istio/proxyv2@${OWN}` }, MINE, false],
  ['a shell in it', { command: ['sh', '-c', 'id'] }, MINE, false],
  ['a shell by its arguments', { args: ['sh', '-c', 'id'] }, MINE, false],
  ['no arguments', { args: [] }, MINE, false],
  ['arguments that are no words', { args: ['proxy', 'sidecar', 1] }, MINE, false],
  ['arguments of another command of its agent’s', { args: ['request', 'GET', '/'] }, MINE, false],
  [
    'arguments that the entry lists',
    { args: ['proxy', 'router'] },
    { ...MINE, args: [['proxy']] },
    true,
  ],
  [
    'a command that the entry lists',
    { command: ['x', 'y'] },
    { ...MINE, command: ['x', 'y'] },
    true,
  ],
  ['more than that command', { command: ['x', 'y', 'z'] }, { ...MINE, command: ['x', 'y'] }, false],
  ['a hook in it', execs('postStart', 'sh'), MINE, false],
  [
    'the mesh’s own hook before the server starts',
    execs('postStart', 'pilot-agent', 'wait'),
    MINE,
    true,
  ],
  ['the mesh’s own hook at its end', execs('preStop', '/bin/sleep', '5'), MINE, true],
  [
    'a native sidecar’s own hook',
    execs('preStop', 'pilot-agent', 'request', '--debug-port=15020', 'POST', 'drain'),
    MINE,
    true,
  ],
  [
    'a hook that ends its agent',
    execs('preStop', 'pilot-agent', 'request', 'POST', 'quitquitquit'),
    MINE,
    false,
  ],
  [
    'a hook of the mesh’s that starts nothing',
    { lifecycle: { preStop: { sleep: { seconds: 5 } } } },
    MINE,
    true,
  ],
  [
    'a probe over the network',
    { readinessProbe: { httpGet: { path: '/healthz/ready', port: 15_021 } } },
    MINE,
    true,
  ],
  [
    'a program after Linkerd’s own in a hook',
    execs('postStart', '/usr/lib/linkerd/linkerd-await', '--timeout=2m', '--', 'sh'),
    MINE,
    false,
  ],
  [
    'Linkerd’s own in a hook',
    execs('postStart', '/usr/lib/linkerd/linkerd-await', '--timeout=2m', '--port=4191'),
    MINE,
    true,
  ],
  ['a program in a probe', execs('livenessProbe', 'sh', '-c', 'id'), MINE, false],
  ['a program that the entry lists in a probe', execs('startupProbe', ...LISTED), MINE, true],
  ['more than the entry lists', execs('startupProbe', ...LISTED, 'x'), MINE, false],
  ['another path for programs', sets('PATH', '/x'), MINE, false],
  ['another library', sets('LD_PRELOAD', '/x'), MINE, false],
  ['a library of the firewall’s', sets('XTABLES_LIBDIR', '/run'), MINE, false],
  ['variables from elsewhere', { envFrom: [{ configMapRef: { name: 'x' } }] }, MINE, false],
  ['variables of the mesh’s', sets('ISTIO_META_APP', 'x'), MINE, true],
  [
    'a configuration of the mesh’s',
    sets('PROXY_CONFIG', '{"interceptionMode":"TPROXY"}\n'),
    MINE,
    true,
  ],
  [
    'a configuration that names a program',
    sets('PROXY_CONFIG', '{"binaryPath":"/bin/sh"}'),
    MINE,
    false,
  ],
  [
    'one that names it in escapes',
    sets('PROXY_CONFIG', String.raw`{"\u0062inaryPath":"/bin/sh"}`),
    MINE,
    false,
  ],
  [
    'one that names it by a tag',
    sets('PROXY_CONFIG', '? !!binary YmluYXJ5UGF0aA==\n: /bin/sh'),
    MINE,
    false,
  ],
  [
    'one that is elsewhere',
    { env: [{ name: 'PROXY_CONFIG', valueFrom: { configMapKeyRef: { name: 'x', key: 'y' } } }] },
    MINE,
    false,
  ],
  [
    'one that is put together on the node',
    sets('PROXY_CONFIG', '{"$(A)$(B)":"/bin/sh"}'),
    MINE,
    false,
  ],
  ['members that lead nowhere', sets('PROXY_CONFIG', CALM), MINE, true],
  ['no member at all', sets('PROXY_CONFIG', ''), MINE, true],
  [
    'a revision’s control plane',
    tells('discoveryAddress', 'istiod-1-27.istio-system.svc:15012'),
    MINE,
    true,
  ],
  ['another control plane', tells('discoveryAddress', 'istiod.team-a.svc:15012'), MINE, false],
  [
    'another beside the right one',
    sets(
      'PROXY_CONFIG',
      '{"discoveryAddress":"evil:1","discoveryAddress":"istiod.istio-system.svc:15012"}',
    ),
    MINE,
    false,
  ],
  ['no proof of the control plane’s', tells('controlPlaneAuthPolicy', 'NONE'), MINE, false],
  ['a configuration of the author’s own', tells('customConfigFile', TOKENS), MINE, false],
  ['a template of it', tells('proxyBootstrapTemplatePath', TOKENS), MINE, false],
  [
    'a probe that runs a program',
    tells('readinessProbe', { exec: { command: ['sh'] } }),
    MINE,
    false,
  ],
  ['a variable in it', tells('proxyMetadata', { ISTIO_META_DNS_CAPTURE: 'true' }), MINE, true],
  [
    'a bootstrap by a variable in it',
    tells('proxyMetadata', { ISTIO_BOOTSTRAP: TOKENS }),
    MINE,
    false,
  ],
  [
    'all of it, listed by its entry',
    tells('customConfigFile', TOKENS),
    { ...MINE, variables: { PROXY_CONFIG: '*' } },
    true,
  ],
  ['a bootstrap of the author’s own', sets('ISTIO_BOOTSTRAP', TOKENS), MINE, false],
  ['a part of one', sets('ISTIO_BOOTSTRAP_OVERRIDE', TOKENS), MINE, false],
  ['an authority of its own', sets('CA_ADDR', 'istiod.team-a.svc:15012'), MINE, false],
  [
    'a listed one',
    sets('CA_ADDR', 'istiod.mesh.svc:15012'),
    { ...MINE, variables: { CA_ADDR: 'istiod.mesh.svc:15012' } },
    true,
  ],
  [
    'another than the listed one',
    sets('CA_ADDR', 'istiod.team-a.svc:15012'),
    { ...MINE, variables: { CA_ADDR: 'istiod.mesh.svc:15012' } },
    false,
  ],
  [
    'a library, although it is listed',
    sets('LD_PRELOAD', '/x'),
    { ...MINE, variables: { LD_PRELOAD: '*' } },
    false,
  ],
  ['a variable that nobody lists', sets('GRPC_XDS_BOOTSTRAP', TOKENS), MINE, false],
  ['a cloud’s variable', sets('AWS_REGION', 'eu-central-1'), MINE, true],
  ['a file of its configuration', { args: ['proxy', 'sidecar', '--meshConfig=/x'] }, MINE, false],
  [
    'a file that becomes one on the node',
    { args: ['proxy', 'sidecar', '--serviceCluster', '--domain', '$(A)'] },
    MINE,
    false,
  ],
  [
    'the domain, as its injector writes it',
    { args: ['proxy', 'sidecar', '--domain', '$(POD_NAMESPACE).svc.cluster.local'] },
    MINE,
    true,
  ],
  ['another directory to start in', { workingDir: '/var/run/secrets/x' }, MINE, false],
  ['a volume of the mesh’s in its place', mounts('istio-envoy', '/etc/istio/proxy'), MINE, true],
  [
    'a volume of the mesh’s over its programs',
    mounts('istio-envoy', '/usr/local/bin'),
    MINE,
    false,
  ],
  [
    'the same in another spelling',
    mounts('istio-envoy', '/etc/istio/proxy/../../../usr/local/bin'),
    MINE,
    false,
  ],
  ['another volume', mounts('tools', '/etc/istio/proxy'), MINE, false],
  [
    'a volume that the entry lists',
    mounts('tools', '/tools/'),
    { ...MINE, volumes: { tools: '/tools' } },
    true,
  ],
  [
    'a cloud’s token',
    mounts('aws-iam-token', '/var/run/secrets/eks.amazonaws.com/serviceaccount', true),
    MINE,
    true,
  ],
  ['another volume where tokens are', mounts('bootstrap', '/var/run/secrets/x', true), MINE, false],
  ['a token to write', mounts('aws-iam-token', '/var/run/secrets/x'), MINE, false],
  [
    'the token of its ServiceAccount',
    mounts('kube-api-access-abcde', '/var/run/secrets/kubernetes.io/serviceaccount', true),
    MINE,
    true,
  ],
  ['a device', { volumeDevices: [{ name: 'x', devicePath: '/dev/x' }] }, MINE, false],
  ['a port of the node', { ports: [{ containerPort: 1, hostPort: 1 }] }, MINE, false],
  ['capabilities for the network, excused', adds('NET_ADMIN', 'NET_RAW'), NETWORK, true],
  [
    'capabilities for the network, of a proxy that needs none',
    adds('NET_ADMIN', 'NET_RAW'),
    MINE,
    false,
  ],
  ['other capabilities', adds('NET_ADMIN', 'SYS_ADMIN'), NETWORK, false],
  ['all capabilities', adds('ALL'), NETWORK, false],
  ['root, of a proxy that needs none', context({ runAsUser: 0 }), MINE, false],
  ['root, excused', context({ runAsUser: 0 }), { ...MINE, excuses: ['run-as-non-root'] }, true],
  ['a root file system to write', context({ readOnlyRootFilesystem: false }), MINE, false],
  [
    'more privileges than it was started with',
    context({ allowPrivilegeEscalation: true }),
    MINE,
    false,
  ],
  ['the whole of /proc', context({ procMount: 'Unmasked' }), MINE, false],
  ['no seccomp', context({ seccompProfile: { type: 'Unconfined' } }), MINE, false],
  ['no AppArmor', context({ appArmorProfile: { type: 'Unconfined' } }), MINE, false],
  ['a domain of SELinux’s', context({ seLinuxOptions: { type: 'spc_t' } }), MINE, false],
  ['privileged', context({ privileged: true }), MINE, false],
]

const LINKERD: JsonObject = {
  name: 'linkerd-init',
  image: `cr.l5d.io/linkerd/proxy:edge@${OWN}`,
  command: ['/usr/lib/linkerd/linkerd2-proxy-init'],
  securityContext: { capabilities: { add: ['NET_ADMIN', 'NET_RAW'] } },
}

describe('Linkerd’s init container', () => {
  const { floor } = configWith({
    name: 'linkerd-init',
    image: 'cr.l5d.io/linkerd/proxy',
    digests: [OWN],
  })

  test.each([
    ['its own firewall', ['--firewall-bin-path', 'iptables-nft', '--proxy-uid', '2102'], true],
    ['no word of a firewall', ['--proxy-uid', '2102'], true],
    ['a shell for a firewall', ['--firewall-bin-path', 'sh'], false],
    ['a shell in one word', ['--firewall-bin-path=/bin/sh'], false],
    [
      'a shell after its own',
      ['--firewall-bin-path', 'iptables', '--firewall-bin-path', 'sh'],
      false,
    ],
    ['a shell to save with', ['--firewall-save-bin-path', 'sh'], false],
    ['what becomes one on the node', ['$(OPTION)'], false],
  ])('%s', (_name, args, exempt) => {
    expect(isExempt({ ...LINKERD, args }, floor)).toBe(exempt)
  })
})

describe('Linkerd’s proxy', () => {
  const { floor } = configWith({
    name: 'linkerd-proxy',
    image: 'cr.l5d.io/linkerd/proxy',
    digests: [OWN],
  })

  test.each([
    [
      'its control plane',
      'LINKERD2_PROXY_DESTINATION_SVC_ADDR',
      'linkerd-dst-headless.linkerd.svc.cluster.local.:8086',
      true,
    ],
    ['another', 'LINKERD2_PROXY_DESTINATION_SVC_ADDR', 'linkerd-dst.team-a.svc:8086', false],
    ['one of another domain', 'LINKERD2_PROXY_POLICY_SVC_ADDR', 'x.linkerd.svc.evil.com:1', false],
    ['one that the node puts together', 'LINKERD2_PROXY_IDENTITY_SVC_ADDR', '$(A)', false],
    ['its listener', 'LINKERD2_PROXY_INBOUND_LISTEN_ADDR', '0.0.0.0:4143', true],
    ['its way out', 'LINKERD2_PROXY_OUTBOUND_LISTEN_ADDRS', '127.0.0.1:4140,[::1]:4140', true],
    ['a way out for others', 'LINKERD2_PROXY_OUTBOUND_LISTEN_ADDR', '0.0.0.0:4140', false],
    ['the pod’s name', '_pod_name', 'x', true],
    ['another variable', 'SSL_CERT_FILE', '/x', false],
  ])('is told %s', (_name, name, value, exempt) => {
    const container = {
      name: 'linkerd-proxy',
      image: `cr.l5d.io/linkerd/proxy:edge@${OWN}`,
      env: [{ name, value }],
    }
    expect(isExempt(container, floor)).toBe(exempt)
  })
})

describe('an exemption', () => {
  test.each(ROWS)('%s', (_name, fields, entry, exempt) => {
    expect(isExempt({ ...PROXY, ...fields }, floorWith(entry))).toBe(exempt)
  })

  test('without a digest there is none', () => {
    expect(() => floorWith({})).toThrow('anybody can take a name and an image')
  })

  test('a tag becomes the digest that the floor has for it, and counts no more where it is stored', () => {
    const floor = floorWith(TAGGED)
    const container = { ...PROXY, image: `${IMAGE}:1.27` }
    expect(pinnedByFloor(container, floor)).toBe(`${IMAGE}:1.27@${OWN}`)
    expect(isExempt(container, withoutTags(floor))).toBe(false)
    expect(isExempt(PROXY, withoutTags(floor))).toBe(true)
  })
})

describe('what is named in the floor and is judged all the same', () => {
  test.each([
    ['another image', { image: 'evil/proxyv2' }, 'its image is another'],
    ['another digest', { image: `${IMAGE}@${OTHER}` }, "its image's digest"],
    ['a command', { command: ['sh'] }, 'it has a command'],
    ['a probe', { livenessProbe: { exec: { command: ['sh'] } } }, 'livenessProbe.exec'],
    ['arguments', { args: ['sh', '-c'] }, "its args are not among its entry's"],
    ['a library', { env: [{ name: 'LD_PRELOAD', value: '/x' }] }, 'LD_PRELOAD'],
    ['a volume', { volumeMounts: [{ name: 'x', mountPath: '/x' }] }, 'its mount of x'],
    ['root', { securityContext: { runAsUser: 0 } }, 'it runs as root'],
    ['privileged', { securityContext: { privileged: true } }, 'securityContext.privileged'],
  ])('%s: is told why', (_name, fields, why) => {
    expect(whyNotExempt({ ...PROXY, ...fields }, floorWith(MINE))).toContain(why)
  })

  test('nothing is told of other names, nor of what is exempt', () => {
    const floor = floorWith(MINE)
    expect(whyNotExempt({ ...PROXY, name: 'other' }, floor)).toBeUndefined()
    expect(whyNotExempt(PROXY, floor)).toBeUndefined()
  })

  test.each<readonly [string, JsonObject, readonly string[], readonly string[]]>([
    ['root', { runAsUser: 0 }, ['ALL'], ['capabilities', 'privilege-escalation']],
    ['nobody who is known', {}, ['ALL'], ['capabilities', 'privilege-escalation']],
    ['somebody else', { runAsUser: 1337 }, [], ['privilege-escalation']],
  ])('what is absent in the context of an exempt %s is not weak', (_name, fields, drop, rules) => {
    const config = configWith({ ...MINE, excuses: ['run-as-non-root', 'capabilities'] })
    const proxy = { ...PROXY, securityContext: fields }
    const pod: JsonObject = {
      metadata: { name: 'web', annotations: { 'outrigger.dev/inject': 'true' } },
      spec: {
        securityContext: { runAsNonRoot: false },
        initContainers: [{ ...proxy, restartPolicy: 'Always' }],
        containers: [
          { name: 'server', image: 'x', command: ['x'], securityContext: { runAsUser: 4000 } },
        ],
      },
    }
    const filled = fillContexts(pod, config.floor)
    const [injected] = objectsAt(filled, 'spec', 'initContainers')
    expect(at(injected, 'securityContext', 'allowPrivilegeEscalation')).toBe(false)
    expect(stringsAt(injected, 'securityContext', 'capabilities', 'drop') ?? []).toEqual(drop)
    const broken = (judged: JsonObject): readonly string[] =>
      breachesOf(judgedPod(judged, config, {}))
        .filter(({ where }) => where === 'container istio-proxy')
        .map(({ rule }) => rule)
        .sort()
    expect(broken(filled)).toEqual([])
    expect(broken(pod)).toEqual(rules)
  })

  test('what is exempt has not the sidecar’s uid', () => {
    const config = configWith(MINE)
    const asSidecar = { ...PROXY, securityContext: { runAsUser: config.sidecar.uid } }
    const pod: JsonObject = {
      metadata: { name: 'web', annotations: { 'outrigger.dev/inject': 'true' } },
      spec: { containers: [{ name: 'server', image: 'x', command: ['x'] }, asSidecar] },
    }
    const outcome = render(pod, { name: 'team-a', labels: {}, annotations: {} }, config)
    expect(outcome).toMatchObject({ kind: 'deny' })
    expect(JSON.stringify(outcome)).toContain('same-uid')
  })
})
