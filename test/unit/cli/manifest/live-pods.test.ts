// Pods as a cluster gives them out (`kubectl get -o yaml`), where pods of strict namespaces wait for their policy: the
// scheduler has written a node into them, which nobody asked for.

import { expect, test } from '@jest/globals'
import { injectManifest } from '../../../../cli/manifest/inject.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

const options = {
  file: 'live.yaml',
  config: clusterConfig({
    sidecar: { image: `sidecar@sha256:${'0'.repeat(64)}` },
    settings: { auth: 'none', egress: 'none', 'egress-mode': 'enforce' },
    floor: { allowAnonymous: true, enforce: 'strict' },
    companions: { gate: true },
  }),
  isDefaultConfig: false,
  namespace: 'default',
  namespaces: [],
}

const podWith = (metadata: string): string => `apiVersion: v1
kind: Pod
metadata:
  name: echo
  annotations: { outrigger.dev/inject: 'true' }
${metadata}spec:
  nodeName: node-1
  containers:
    - name: server
      image: i@sha256:${'0'.repeat(64)}
      command: [c]
      resources: { limits: { cpu: 1, memory: 1Gi } }
`

test('one is judged without its node, which no gate lets it name', () => {
  const { stdout, stderr } = injectManifest(podWith('  uid: 7d4f\n'), options)
  expect(stderr).not.toContain('denied')
  expect(stdout).toContain('outrigger.dev/policy')
  expect(stdout).not.toMatch(/^ *nodeName/m)
})

test('one that its author puts onto a node is denied', () => {
  const { stdout, stderr } = injectManifest(podWith(''), options)
  expect(stderr).toContain('denied: pod: spec.nodeName puts it onto a node without the scheduler')
  expect(stdout).toBe('')
})
