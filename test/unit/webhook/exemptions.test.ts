import { describe, expect, test } from '@jest/globals'
import type { Json, JsonObject } from '../../../shared/json.ts'
import { parseClusterConfig } from '../../../webhook/cluster/config.ts'
import { isExempt } from '../../../webhook/inject/pod.ts'

const OWN = `sha256:${'a'.repeat(64)}`
const OTHER = `sha256:${'b'.repeat(64)}`
const IMAGE = 'docker.io/istio/proxyv2'

const floorWith = (exempt: Readonly<Record<string, Json>>) => {
  const floor = { exemptContainers: [{ name: 'istio-proxy', image: IMAGE, ...exempt }] }
  const config = parseClusterConfig({ sidecar: { image: 'x' }, floor })
  if (!config.ok) throw new Error(config.error.join('; '))
  return config.value.floor
}

const PROXY: JsonObject = {
  name: 'istio-proxy',
  image: `${IMAGE}:1.27@${OWN}`,
  args: ['proxy', 'sidecar'],
  securityContext: { runAsUser: 1337 },
}

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
  ['privileged', { securityContext: { privileged: true } }, [OWN], false],
]

describe('an exemption', () => {
  test.each(ROWS)('%s', (_name, fields, digests, exempt) => {
    const floor = floorWith(digests === null ? {} : { digests })
    expect(isExempt({ ...PROXY, ...fields }, floor)).toBe(exempt)
  })
})
