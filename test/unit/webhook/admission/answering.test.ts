// What is read of a namespace for a review: what its account `default` is at a cloud only where pods are made, which run by it.

import { expect, test } from '@jest/globals'
import { EMPTY_INDEX } from '../../../../shared/image-index.ts'
import type { JsonObject } from '../../../../shared/json.ts'
import { mutate } from '../../../../webhook/admission/mutate.ts'
import { validate } from '../../../../webhook/admission/validate.ts'
import { fixedNamespaces, withAccounts } from '../../../../webhook/cluster/namespace.ts'
import { reviewOf, type ReviewFields } from '../../../support/admission.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

const config = clusterConfig({ sidecar: { image: 'x' }, companions: {} })
const POD: JsonObject = {
  metadata: { name: 'web', annotations: { 'outrigger.dev/inject': 'true' } },
  spec: { containers: [{ name: 'server', image: 'i', command: ['serve'] }] },
}
const DEPLOYMENT: JsonObject = {
  metadata: { name: 'web', annotations: { 'outrigger.dev/inject': 'true' } },
  spec: { template: POD },
}
const resource = (group: string, name: string): Pick<ReviewFields, 'resource'> => ({
  resource: { group, version: 'v1', resource: name },
})
const UPDATE = { operation: 'UPDATE', oldObject: {} }

test.each<[string, typeof mutate, JsonObject, readonly string[]]>([
  ['a pod that is injected', mutate, reviewOf(POD), ['servers']],
  ['a workload', mutate, reviewOf(DEPLOYMENT, resource('apps', 'deployments')), ['servers']],
  ['a pod that is judged', validate, reviewOf(POD), ['servers']],
  ['a pod that is changed', validate, reviewOf(POD, UPDATE), []],
  ['a connection', validate, reviewOf({}, { operation: 'CONNECT', subResource: 'exec' }), []],
  ['a policy', validate, reviewOf({}, resource('networking.k8s.io', 'networkpolicies')), []],
  ['a namespace', validate, reviewOf(POD, { ...UPDATE, ...resource('', 'namespaces') }), []],
  ['what is nothing of ours', mutate, reviewOf({}, resource('', 'secrets')), []],
])('after the account asks: %s', async (_name, way, review, expected) => {
  const asked: string[] = []
  const namespaces = withAccounts(fixedNamespaces([]), (name) => {
    asked.push(name)
    return Promise.resolve('plain')
  })
  const body = Buffer.from(JSON.stringify(review))
  const options = { config: () => config, images: () => EMPTY_INDEX, namespaces, now: () => 0 }
  const { answer } = await way(body, options)
  expect(answer.ok).toBe(true)
  expect(asked).toEqual(expected)
})
