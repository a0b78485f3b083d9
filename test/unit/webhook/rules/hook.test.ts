import { describe, expect, test } from '@jest/globals'
import type { JsonObject } from '../../../../shared/json.ts'
import { isExempt } from '../../../../webhook/inject/exempt.ts'
import { breachesOf } from '../../../../webhook/rules/judge.ts'
import { judgedPod } from '../../../../webhook/rules/judged.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`
const config = clusterConfig({
  sidecar: { image: 'x' },
  floor: { exemptContainers: [{ name: 'istio-proxy', image: 'proxyv2', digests: [DIGEST] }] },
})

const PROXY: JsonObject = {
  name: 'istio-proxy',
  image: `proxyv2@${DIGEST}`,
  args: ['proxy', 'sidecar'],
  securityContext: { runAsUser: 1337, allowPrivilegeEscalation: false },
}
const asks = (host?: string): JsonObject => ({
  httpGet: { path: '/healthz/ready', port: 15_021, ...(host === undefined ? {} : { host }) },
})
const METADATA = '169.254.169.254'

describe('whom the kubelet asks for an exempt proxy', () => {
  test.each<readonly [string, JsonObject, readonly string[]]>([
    ['its own port', { readinessProbe: asks() }, []],
    [
      'the cloud’s metadata, by a probe',
      { livenessProbe: asks(METADATA) },
      [`livenessProbe.httpGet.host: "${METADATA}"`],
    ],
    [
      'the same, at its end',
      { lifecycle: { preStop: asks(METADATA) } },
      [`lifecycle.preStop.httpGet.host: "${METADATA}"`],
    ],
  ])('%s', (_name, fields, expected) => {
    const proxy = { ...PROXY, ...fields }
    const pod: JsonObject = { spec: { initContainers: [proxy], containers: [] } }
    const found = breachesOf(judgedPod(pod, config, {}))
    expect(isExempt(proxy, config.floor)).toBe(true)
    expect(
      found.filter(({ rule }) => rule === 'probe-host').map(({ found: words }) => words),
    ).toEqual(expected)
  })
})
