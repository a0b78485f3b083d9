import { describe, expect, test } from '@jest/globals'
import type { JsonObject } from '../../../../shared/json.ts'
import { breachesOf } from '../../../../webhook/rules/judge.ts'
import { judgedPod } from '../../../../webhook/rules/judged.ts'
import { judgeUpdated } from '../../../../webhook/validation/updated.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`
const PROXY: JsonObject = {
  name: 'istio-proxy',
  image: `proxyv2@${DIGEST}`,
  args: ['proxy', 'sidecar'],
  securityContext: { runAsUser: 1337 },
}
const config = clusterConfig({
  sidecar: { image: 'x' },
  floor: { exemptContainers: [{ name: 'istio-proxy', image: 'proxyv2', digests: [DIGEST] }] },
})

const told = (text: string, volume?: JsonObject): readonly string[] => {
  const pod: JsonObject = {
    metadata: { annotations: { 'proxy.istio.io/config': text } },
    spec: {
      initContainers: [PROXY],
      volumes: volume ? [{ name: 'istio-podinfo', ...volume }] : [],
    },
  }
  const found = breachesOf(judgedPod(pod, config, {}))
  return found.filter(({ rule }) => rule === 'proxy-program').map(({ found: words }) => words)
}
const showing = (fieldPath: string): JsonObject => ({
  downwardAPI: { items: [{ path: 'annotations', fieldRef: { fieldPath } }] },
})

describe('what a pod tells Istio’s proxy', () => {
  test.each([
    ['how to hold traffic', 'holdApplicationUntilProxyStarts: true', 0],
    ['a configuration of its own', 'customConfigFile: /var/run/secrets/x', 1],
    ['a template of its own', 'proxyBootstrapTemplatePath: /var/run/secrets/x', 1],
    ['its control plane', 'discoveryAddress: istiod.istio-system.svc:15012', 0],
    ['another control plane', 'discoveryAddress: istiod.team-a.svc:15012', 1],
    ['no proof of it', 'controlPlaneAuthPolicy: NONE', 1],
    ['a bootstrap by a variable', 'proxyMetadata: { ISTIO_BOOTSTRAP: /x }', 1],
    ['a variable of the mesh’s', 'proxyMetadata: { ISTIO_META_DNS_CAPTURE: "true" }', 0],
    ['more than anybody does', `meshId: ${'x'.repeat(20_000)}`, 1],
    ['in what only some take for lines', 'concurrency: 1 #\u2028binaryPath: /bin/sh', 1],
    ['by an alias', 'image: &a { x: 1 }\ntracing: *a', 1],
    ['nothing', '', 0],
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

  test.each<readonly [string, JsonObject, number]>([
    ['a token', { serviceAccountToken: { audience: 'sts.amazonaws.com', path: 'token' } }, 0],
    ['the cluster’s authority', { configMap: { name: 'kube-root-ca.crt' } }, 0],
    ['a file of the author’s own', { configMap: { name: 'x' } }, 1],
    [
      'an annotation, which could be such a file',
      {
        downwardAPI: {
          items: [{ path: 'x', fieldRef: { fieldPath: "metadata.annotations['x']" } }],
        },
      },
      1,
    ],
  ])('where it mounts tokens: %s', (_name, source, count) => {
    const pod: JsonObject = {
      spec: {
        containers: [
          {
            ...PROXY,
            volumeMounts: [
              { name: 'aws-iam-token', mountPath: '/var/run/secrets/x', readOnly: true },
            ],
          },
        ],
        volumes: [{ name: 'aws-iam-token', projected: { sources: [source] } }],
      },
    }
    const found = breachesOf(judgedPod(pod, config, {}))
    expect(found.filter(({ rule }) => rule === 'proxy-program')).toHaveLength(count)
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
    expect(judgeUpdated(change, namespace, config).decided).toMatchObject({
      kind: 'deny',
      violations: [{ rule: 'proxy-program' }],
    })
  })
})
