import { describe, expect, test } from '@jest/globals'
import type { Json, JsonObject } from '../../../shared/json.ts'
import { parseClusterConfig } from '../../../webhook/cluster/config.ts'
import {
  isExempt,
  pinnedByFloor,
  whyNotExempt,
  withoutTags,
} from '../../../webhook/inject/exempt.ts'
import { render } from '../../../webhook/inject/render.ts'
import { breachesOf } from '../../../webhook/rules/judge.ts'
import { judgedPod } from '../../../webhook/rules/judged.ts'
import { judgeUpdated } from '../../../webhook/validation/updated.ts'

const OWN = `sha256:${'a'.repeat(64)}`
const OTHER = `sha256:${'b'.repeat(64)}`
const IMAGE = 'docker.io/istio/proxyv2'

const configWith = (exempt: Readonly<Record<string, Json>>) => {
  const floor = {
    exemptContainers: [{ name: 'istio-proxy', image: IMAGE, execs: [LISTED], ...exempt }],
  }
  const config = parseClusterConfig({ sidecar: { image: 'x' }, floor })
  if (!config.ok) throw new Error(config.error.join('; '))
  return config.value
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

const told = (text: string, volume?: JsonObject): readonly string[] => {
  const pod: JsonObject = {
    metadata: { annotations: { 'proxy.istio.io/config': text } },
    spec: {
      initContainers: [PROXY],
      volumes: volume ? [{ name: 'istio-podinfo', ...volume }] : [],
    },
  }
  const found = breachesOf(judgedPod(pod, configWith(MINE), {}))
  return found.filter(({ rule }) => rule === 'proxy-program').map(({ found: words }) => words)
}
const showing = (fieldPath: string): JsonObject => ({
  downwardAPI: { items: [{ path: 'annotations', fieldRef: { fieldPath } }] },
})

describe('what a pod tells Istio’s proxy', () => {
  test.each([
    ['how to hold traffic', 'holdApplicationUntilProxyStarts: true', 0],
    ['which program to run', 'binaryPath: /bin/sh', 1],
    ['the same by its other name', 'binary_path: /bin/sh', 1],
    ['the same over two lines', '? "binary\\\nPath"\n: /bin/sh', 1],
    ['patterns', String.raw`{"proxyStatsMatcher":{"inclusionRegexps":["a\\.b"]}}`, 0],
  ])('%s', (_name, text, count) => {
    expect(told(text)).toHaveLength(count)
  })

  test.each([
    ['all annotations', showing('metadata.annotations'), 0],
    ['one annotation, which could be a file of them', showing("metadata.annotations['x']"), 1],
    ['a file of the author’s own', { configMap: { name: 'x' } }, 1],
  ])('by the volume that shows it annotations: %s', (_name, volume, count) => {
    expect(told('concurrency: 1', volume)).toHaveLength(count)
  })

  test('while it runs, too', () => {
    const pod = (text: string): JsonObject => ({
      metadata: {
        labels: { 'outrigger.dev/injected': 'true' },
        annotations: { 'proxy.istio.io/config': text },
      },
      spec: { initContainers: [PROXY] },
    })
    const change = { before: pod('concurrency: 1'), after: pod('binaryPath: /bin/sh'), groups: [] }
    const namespace = { name: 'team-a', labels: {}, annotations: {} }
    expect(judgeUpdated(change, namespace, configWith(MINE)).decided).toMatchObject({
      kind: 'deny',
      violations: [{ rule: 'proxy-program' }],
    })
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
