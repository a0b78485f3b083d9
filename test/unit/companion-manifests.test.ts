// The manifests of the controller, beside the base.

import { readdirSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { INDEX_CONFIG_MAP } from '../../shared/image-index.ts'
import { arrayAt, objectAt, objectsAt, type JsonObject } from '../../shared/json.ts'
import { DOMAIN } from '../../webhook/cluster/account-store.ts'
import { parseControllerOptions } from '../../webhook/controller/options.ts'
import { kustomization, nameOf, objects, one, read, ROOT } from '../support/shipped-manifests.ts'

describe('manifests/base/companions', () => {
  const whole = kustomization('base/companions')
  const files = (arrayAt(whole, 'resources') ?? []).map(String)
  const found = files.flatMap((file) => objects(`base/companions/${file}`))
  const ofKind = (kind: string): JsonObject => found.find((one) => one['kind'] === kind) ?? {}

  test('lists every file that it has, and the image as the base does', () => {
    const there = readdirSync(new URL('base/companions/', ROOT)).sort()
    expect([...files, 'kustomization.yaml'].sort()).toEqual(there)
    expect(whole).toMatchObject({
      namespace: kustomization('base')['namespace'],
      images: kustomization('base')['images'],
      labels: kustomization('base')['labels'],
    })
  })

  test('the rights are those that the controller uses, on the objects that it uses', () => {
    expect(found.flatMap((object) => objectsAt(object, 'rules'))).toEqual([
      { apiGroups: [''], resources: ['namespaces', 'pods'], verbs: ['list', 'watch'] },
      {
        apiGroups: [''],
        resources: ['services'],
        verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'],
      },
      {
        apiGroups: ['networking.k8s.io'],
        resources: ['networkpolicies'],
        verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'],
      },
      { apiGroups: [''], resources: ['pods'], verbs: ['patch'] },
      { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
      { apiGroups: ['apps'], resources: ['replicasets'], verbs: ['get'] },
      { apiGroups: ['batch'], resources: ['jobs'], verbs: ['get'] },
      { apiGroups: ['apps'], resources: ['deployments'], verbs: ['list'] },
      {
        apiGroups: ['discovery.k8s.io'],
        resources: ['endpointslices'],
        resourceNames: ['kubernetes'],
        verbs: ['get'],
      },
      { apiGroups: [''], resources: ['events'], verbs: ['create'] },
      {
        apiGroups: ['coordination.k8s.io'],
        resources: ['leases'],
        resourceNames: [nameOf(ofKind('Lease'))],
        verbs: ['get', 'update'],
      },
    ])
  })

  test('the Lease is empty, so that applying it again leaves who leads', () => {
    expect(Object.keys(ofKind('Lease'))).toEqual(['apiVersion', 'kind', 'metadata'])
  })

  test('its NetworkPolicy lets in probes and metrics alone, and out what the webhook’s lets out', () => {
    const { podSelector, policyTypes, ingress, egress } = objectAt(ofKind('NetworkPolicy'), 'spec')
    const labels = objectAt(ofKind('Deployment'), 'spec', 'template', 'metadata', 'labels')
    const parsed = parseControllerOptions(['--config=x'])
    expect(podSelector).toEqual({ matchLabels: labels })
    expect(policyTypes).toEqual(['Ingress', 'Egress'])
    expect(ingress).toEqual([
      { ports: [{ protocol: 'TCP', port: parsed.ok && parsed.value.adminPort }] },
    ])
    expect(egress).toEqual(objectAt(one('NetworkPolicy'), 'spec')['egress'])
  })

  test('its budget is about its pods, and lets one go, however few they are', () => {
    const labels = objectAt(ofKind('Deployment'), 'spec', 'template', 'metadata', 'labels')
    expect(ofKind('PodDisruptionBudget')['spec']).toEqual({
      maxUnavailable: 1,
      selector: { matchLabels: labels },
    })
  })

  test('the Deployment is restricted, and its flags are the controller’s', () => {
    const pod = objectAt(ofKind('Deployment'), 'spec', 'template', 'spec')
    const [container] = objectsAt(pod, 'containers')
    expect(pod).toMatchObject({
      serviceAccountName: nameOf(ofKind('ServiceAccount')),
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    })
    expect(container).toMatchObject({
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      },
    })
    const parsed = parseControllerOptions((arrayAt(container, 'args') ?? []).map(String))
    expect(parsed).toMatchObject({
      ok: true,
      value: { namespace: whole['namespace'], lease: nameOf(ofKind('Lease')) },
    })
    expect(parsed.ok && parsed.value.adminPort).toBe(
      objectsAt(container, 'ports')[0]?.['containerPort'],
    )
    // Where the image has it.
    expect(arrayAt(container, 'command')?.at(-1)).toBe('/app/controller.mjs')
    expect(read('../Dockerfile.webhook')).toContain('dist/controller.js /app/controller.mjs\n')
  })
})

describe('manifests/base/own-accounts', () => {
  const found = objects('base/own-accounts/rbac.yaml')

  test('lets the controller read and make accounts, and neither change, delete nor bind any', () => {
    expect(kustomization('base/own-accounts')).toMatchObject({
      namespace: kustomization('base')['namespace'],
      labels: kustomization('base')['labels'],
      resources: ['rbac.yaml', 'accounts.yaml', 'webhook-rbac.yaml'],
    })
    expect(found.flatMap((object) => objectsAt(object, 'rules'))).toEqual([
      { apiGroups: [''], resources: ['serviceaccounts'], verbs: ['get', 'create'] },
      { apiGroups: [''], resources: ['events'], verbs: ['list', 'watch'] },
      {
        apiGroups: ['apps'],
        resources: ['replicasets', 'statefulsets', 'daemonsets'],
        verbs: ['get'],
      },
      { apiGroups: ['batch'], resources: ['jobs'], verbs: ['get'] },
    ])
    expect(found.flatMap((object) => objectsAt(object, 'subjects'))).toEqual([
      { kind: 'ServiceAccount', name: 'outrigger-controller', namespace: 'outrigger-system' },
    ])
  })

  test('lets the webhook read no account but those called default', () => {
    const ofWebhook = objects('base/own-accounts/webhook-rbac.yaml')
    expect(ofWebhook.flatMap((object) => objectsAt(object, 'rules'))).toEqual([
      {
        apiGroups: [''],
        resources: ['serviceaccounts'],
        resourceNames: ['default'],
        verbs: ['get', 'list', 'watch'],
      },
    ])
    expect(ofWebhook.flatMap((object) => objectsAt(object, 'subjects'))).toEqual([
      { kind: 'ServiceAccount', name: 'outrigger-webhook', namespace: 'outrigger-system' },
    ])
  })
})

test('of accounts the controller makes none that a cloud takes for somebody, by the same names', () => {
  const [policy] = objects('base/own-accounts/accounts.yaml')
  const said = objectsAt(policy, 'spec', 'validations').map((one) => one['expression'])
  expect(said).toEqual([
    expect.stringContaining(`key.matches(r'${DOMAIN.source.replace('\\/', '/')}'`),
  ])
})

describe('manifests/base/resolve-images', () => {
  const found = objects('base/resolve-images/rbac.yaml')

  test('gives the controller what look-ups use, and of ConfigMaps the image index alone', () => {
    expect(kustomization('base/resolve-images')).toMatchObject({
      namespace: kustomization('base')['namespace'],
      labels: kustomization('base')['labels'],
      resources: ['rbac.yaml'],
    })
    const rules = found.map((object) => [object['kind'], objectsAt(object, 'rules')])
    expect(rules.filter(([kind]) => kind === 'ClusterRole' || kind === 'Role')).toEqual([
      [
        'ClusterRole',
        [
          { apiGroups: [''], resources: ['events'], verbs: ['list', 'watch'] },
          {
            apiGroups: ['apps'],
            resources: ['replicasets', 'statefulsets', 'daemonsets'],
            verbs: ['get'],
          },
          { apiGroups: ['batch'], resources: ['jobs'], verbs: ['get'] },
        ],
      ],
      [
        'Role',
        [
          {
            apiGroups: [''],
            resources: ['configmaps'],
            resourceNames: [INDEX_CONFIG_MAP],
            verbs: ['get', 'patch'],
          },
        ],
      ],
    ])
    const subjects = found.flatMap((object) => objectsAt(object, 'subjects'))
    const controller = {
      kind: 'ServiceAccount',
      name: 'outrigger-controller',
      namespace: 'outrigger-system',
    }
    expect(subjects).toEqual([controller, controller])
  })
})
