// What `outrigger explain` says of the settings that injection does not take as they are.

import { expect, test } from '@jest/globals'
import { explainManifest } from '../../../../cli/manifest/explain.ts'
import type { ManifestOptions } from '../../../../cli/manifest/manifest.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

const options: ManifestOptions = {
  file: 'app.yaml',
  config: clusterConfig({
    sidecar: { image: 'sidecar:1' },
    settings: { auth: 'none' },
    floor: { allowAnonymous: true },
  }),
  isDefaultConfig: false,
  namespace: 'default',
  namespaces: [],
}

const podWith = (resources: string): string => `apiVersion: v1
kind: Pod
metadata: { name: echo, annotations: { outrigger.dev/inject: 'true' } }
spec:
  containers:
    - { name: server, image: i, command: [c], resources: ${resources} }
`

test.each<[string, resources: string, says: string]>([
  [
    'a pod that is Guaranteed',
    '{ limits: { cpu: 1, memory: 1Gi } }',
    '256Mi     the sidecar-memory-limit, in the place of `96Mi`: so a Guaranteed pod stays one',
  ],
  ['a pod that has no limit of CPU', '{ limits: { memory: 1Gi } }', '96Mi      default'],
  [
    'a pod that asks for less than its limits',
    '{ requests: { cpu: 1 }, limits: { cpu: 2, memory: 1Gi } }',
    '96Mi      default',
  ],
])('says what the sidecar of %s asks for', (_name, resources, says) => {
  const text = podWith(resources)
  expect(explainManifest(text, options).stdout).toContain(`sidecar-memory-request  ${says}\n`)
})
