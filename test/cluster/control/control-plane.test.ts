// The cluster itself, before anything of ours is in it: what later tests take for granted.

import { expect, test } from '@jest/globals'
import { at, createApi, list } from '../api.ts'
import { versionOf } from '../parts/binaries.ts'
import { describeCluster } from '../describe-cluster.ts'

const pod = (name: string): Record<string, unknown> => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'main', image: 'example/none' }] },
})

describeCluster('control', 'control plane', ({ api: base, own }) => {
  const api = createApi(base)

  test('serves the version that go.mod pins', async () => {
    const { body } = await api.get('/version')
    expect(body['gitVersion']).toEqual(
      own === undefined ? expect.any(String) : versionOf('kubernetes'),
    )
  })

  test('knows ValidatingAdmissionPolicy', async () => {
    const { body } = await api.get('/apis/admissionregistration.k8s.io/v1')
    const kinds = list(body, 'resources').map((resource) => at(resource, 'kind'))
    expect(kinds).toContain('ValidatingAdmissionPolicy')
    expect(kinds).toContain('MutatingWebhookConfiguration')
  })

  test('mounts a token into a pod of which nobody took it', async () => {
    await api.createNamespace('plane')
    const { status, body } = await api.create(pod('plain'), 'plane')
    expect(status).toBe(201)
    const volumes = list(body, 'spec', 'volumes').map((volume) => at(volume, 'name'))
    expect(volumes).toEqual([expect.stringMatching(/^kube-api-access-/)])
    const mounts = list(body, 'spec', 'containers', 0, 'volumeMounts')
    expect(mounts.map((mount) => at(mount, 'name'))).toEqual(volumes)
  })

  test('answers an object of its own validation with 422', async () => {
    const { status } = await api.create(pod('Not_A_Name'), 'plane')
    expect(status).toBe(422)
  })
})
