import { describe, expect, test } from '@jest/globals'
import type { Json, JsonObject } from '../../../shared/json.ts'
import { parseClusterConfig } from '../../../webhook/cluster/config.ts'
import { isExempt, whyNotExempt } from '../../../webhook/inject/exempt.ts'
import { render } from '../../../webhook/inject/render.ts'

const OWN = `sha256:${'a'.repeat(64)}`
const OTHER = `sha256:${'b'.repeat(64)}`
const IMAGE = 'docker.io/istio/proxyv2'

const configWith = (exempt: Readonly<Record<string, Json>>) => {
  const floor = {
    exemptContainers: [{ name: 'istio-proxy', image: IMAGE, commands: [LISTED], ...exempt }],
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

const ROWS: readonly (readonly [string, JsonObject, Json, boolean])[] = [
  ['the mesh’s own', {}, [OWN], true],
  ['the mesh’s own, where no digest is named', {}, null, true],
  ['another digest', { image: `${IMAGE}@${OTHER}` }, [OWN], false],
  ['a tag, where digests are named', { image: `${IMAGE}:1.27` }, [OWN], false],
  ['a digest that only looks like it', { image: `${IMAGE}@${OWN}@${OTHER}` }, [OTHER], false],
  ['another name', { name: 'proxy' }, [OWN], false],
  ['another repository', { image: `evil/istio/proxyv2@${OWN}` }, [OWN], false],
  ['a shell in it', { command: ['sh', '-c', 'id'] }, [OWN], false],
  ['a shell in it, where no digest is named', { command: ['sh', '-c', 'id'] }, null, false],
  ['a hook in it', { lifecycle: { postStart: { exec: { command: ['sh'] } } } }, [OWN], false],
  [
    'hooks of the mesh’s own',
    {
      lifecycle: {
        postStart: { exec: { command: ['pilot-agent', 'wait'] } },
        preStop: { exec: { command: ['/bin/sleep', '5'] } },
      },
    },
    [OWN],
    true,
  ],
  [
    'a hook of the mesh’s that starts nothing',
    { lifecycle: { preStop: { sleep: { seconds: 5 } } } },
    [OWN],
    true,
  ],
  [
    'a probe over the network',
    { readinessProbe: { httpGet: { path: '/healthz/ready', port: 15021 } } },
    [OWN],
    true,
  ],
  [
    'a program after Linkerd’s own in a hook',
    {
      lifecycle: {
        postStart: {
          exec: { command: ['/usr/lib/linkerd/linkerd-await', '--timeout=2m', '--', 'sh'] },
        },
      },
    },
    [OWN],
    false,
  ],
  [
    'Linkerd’s own in a hook',
    {
      lifecycle: {
        postStart: {
          exec: { command: ['/usr/lib/linkerd/linkerd-await', '--timeout=2m', '--port=4191'] },
        },
      },
    },
    [OWN],
    true,
  ],
  [
    'a program in a probe',
    { livenessProbe: { exec: { command: ['sh', '-c', 'id'] } } },
    [OWN],
    false,
  ],
  [
    'a program that the entry lists in a probe',
    { startupProbe: { exec: { command: LISTED } } },
    [OWN],
    true,
  ],
  [
    'more than the entry lists',
    { startupProbe: { exec: { command: [...LISTED, 'x'] } } },
    [OWN],
    false,
  ],
  ['another path for programs', { env: [{ name: 'PATH', value: '/x' }] }, [OWN], false],
  ['another library', { env: [{ name: 'LD_PRELOAD', value: '/x' }] }, [OWN], false],
  ['variables from elsewhere', { envFrom: [{ configMapRef: { name: 'x' } }] }, [OWN], false],
  ['variables of the mesh’s', { env: [{ name: 'ISTIO_META_APP', value: 'x' }] }, [OWN], true],
  ['capabilities for the network', adds('NET_ADMIN', 'NET_RAW'), [OWN], true],
  ['other capabilities', adds('NET_ADMIN', 'SYS_ADMIN'), [OWN], false],
  ['all capabilities', adds('ALL'), [OWN], false],
  ['the whole of /proc', { securityContext: { procMount: 'Unmasked' } }, [OWN], false],
  ['no seccomp', { securityContext: { seccompProfile: { type: 'Unconfined' } } }, [OWN], false],
  ['no AppArmor', { securityContext: { appArmorProfile: { type: 'Unconfined' } } }, [OWN], false],
  [
    'a domain of SELinux’s',
    { securityContext: { seLinuxOptions: { type: 'spc_t' } } },
    [OWN],
    false,
  ],
  ['privileged', { securityContext: { privileged: true } }, [OWN], false],
]

describe('an exemption', () => {
  test.each(ROWS)('%s', (_name, fields, digests, exempt) => {
    const floor = floorWith(digests === null ? {} : { digests })
    expect(isExempt({ ...PROXY, ...fields }, floor)).toBe(exempt)
  })
})

describe('what is named in the floor and is judged all the same', () => {
  test.each([
    ['another image', { image: 'evil/proxyv2' }, 'its image is another'],
    ['another digest', { image: `${IMAGE}@${OTHER}` }, "its image's digest"],
    ['a command', { command: ['sh'] }, 'it has a command'],
    ['a probe', { livenessProbe: { exec: { command: ['sh'] } } }, 'livenessProbe.exec'],
    ['a library', { env: [{ name: 'LD_PRELOAD', value: '/x' }] }, 'LD_'],
    ['privileged', { securityContext: { privileged: true } }, 'securityContext.privileged'],
  ])('%s: is told why', (_name, fields, why) => {
    expect(whyNotExempt({ ...PROXY, ...fields }, floorWith({ digests: [OWN] }))).toContain(why)
  })

  test('nothing is told of other names, nor of what is exempt', () => {
    const floor = floorWith({ digests: [OWN] })
    expect(whyNotExempt({ ...PROXY, name: 'other' }, floor)).toBeUndefined()
    expect(whyNotExempt(PROXY, floor)).toBeUndefined()
  })

  test('what is exempt has not the sidecar’s uid', () => {
    const config = configWith({})
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
