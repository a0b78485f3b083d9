// The overlay for cert-manager against the base and the webhook's own flags.

import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { isObject, objectsAt, stringAt, stringsAt, type JsonObject } from '../../shared/json.ts'
import { parseOptions } from '../../webhook/options.ts'
import { base, kustomization, nameOf, objects, one } from '../support/shipped-manifests.ts'

const options = (() => {
  const parsed = parseOptions(['webhook', '--config', 'x'])
  if (!parsed.ok) throw new Error(parsed.error.join())
  return parsed.value
})()

describe('the overlay for cert-manager', () => {
  const patches = objectsAt(kustomization('overlays/cert-manager'), 'patches')
  const certificates = objects('base/cert-manager/certificates.yaml')
  const certificate = certificates.find(
    (object) => object['kind'] === 'Certificate' && nameOf(object) === options.service,
  )
  const patchFor = (kind: string): readonly JsonObject[] => {
    const patch = patches.find((each) => stringAt(each, 'target', 'kind') === kind)
    const operations: unknown = parse(stringAt(patch, 'patch') ?? '')
    return Array.isArray(operations) ? operations.filter(isObject) : []
  }
  const called = (object: JsonObject): string => `${stringAt(object, 'kind')} ${nameOf(object)}`
  const added = (path: string): unknown =>
    patchFor('Deployment').find((operation) => operation['path'] === path)?.['value']

  test('stands upon the base, and upon what the chart takes as well, placed and labelled as that', () => {
    expect(kustomization('overlays/cert-manager')).toMatchObject({
      namespace: options.namespace,
      resources: ['../../base', '../../base/cert-manager'],
    })
    expect(kustomization('base/cert-manager')).toEqual({
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      namespace: options.namespace,
      resources: ['certificates.yaml'],
      labels: kustomization('base')['labels'],
    })
  })

  test('has the names in its certificate that our own would have', () => {
    const names = stringsAt(certificate, 'spec', 'dnsNames')
    const [service, namespace] = [options.service, options.namespace]
    expect(names).toEqual([`${service}.${namespace}.svc`, `${service}.${namespace}`, service])
  })

  test('lets the webhook read the Secret that cert-manager keeps', () => {
    const containers = '/spec/template/spec/containers/0'
    const flag = [added(`${containers}/args/-`)].filter((value) => typeof value === 'string')
    const parsed = parseOptions(['webhook', '--config=x', ...flag])
    const secretName = stringAt(certificate, 'spec', 'secretName')
    expect(added('/spec/template/spec/volumes/-')).toEqual({ name: 'tls', secret: { secretName } })
    expect(added(`${containers}/volumeMounts/-`)).toEqual({
      name: 'tls',
      mountPath: parsed.ok ? parsed.value.certDir : undefined,
      readOnly: true,
    })
  })

  test('has the injector write caBundle into both configurations, by that certificate', () => {
    expect(patchFor('(Mutating|Validating)WebhookConfiguration')).toEqual([
      {
        op: 'add',
        path: '/metadata/annotations',
        value: { 'cert-manager.io/inject-ca-from': `${options.namespace}/${options.service}` },
      },
    ])
  })

  test('takes away the rights that only our own authority needs, and its Secret', () => {
    const [check, removal] = patchFor('ClusterRole')
    const rules = objectsAt(one('ClusterRole'), 'rules')
    const path = stringAt(removal, 'path') ?? ''
    expect(check?.['path']).toBe(`${path}/apiGroups/0`)
    const index = Number(path.split('/').at(-1))
    expect(stringsAt(rules[index], 'apiGroups')).toEqual([check?.['value']])
    const removed = patches.flatMap((each) => {
      const object: unknown = parse(stringAt(each, 'patch') ?? '')
      return isObject(object) && object['$patch'] === 'delete' ? [called(object)] : []
    })
    expect(removed).toEqual([
      `Secret ${options.caSecret}`,
      'Role outrigger-webhook',
      'RoleBinding outrigger-webhook',
    ])
    expect(base.map(called)).toEqual(expect.arrayContaining(removed))
  })
})
