// What is advised where nobody knows an image's command: with `floor.resolveImages` the controller finds it out, for pods that
// come again.

import { expect, test } from '@jest/globals'
import type { JsonObject } from '../../../shared/json.ts'
import { bareNamespace } from '../../../webhook/cluster/namespace.ts'
import { render } from '../../../webhook/inject/render.ts'
import type { Violation } from '../../../webhook/settings/violation.ts'
import { clusterConfig } from '../../support/cluster-config.ts'

const IMAGE = 'r.example/app:1'
const HTTP = { 'outrigger.dev/transport': 'http', 'outrigger.dev/port': '8080' }
const SET = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  name: 'web-5f',
  uid: 'u',
  controller: true,
}

interface Given {
  readonly resolveImages?: boolean
  readonly ownerReferences?: readonly JsonObject[]
  readonly annotations?: JsonObject
}

const deniedFor = ({
  resolveImages = true,
  ownerReferences = [SET],
  annotations = {},
}: Given): Violation | undefined => {
  const config = clusterConfig({
    sidecar: { image: 'x' },
    settings: { auth: 'none' },
    floor: { allowAnonymous: true, egressMode: 'enforce', unresolvable: 'deny', resolveImages },
  })
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'web',
      annotations: { 'outrigger.dev/inject': 'true', ...annotations },
      ownerReferences,
    },
    spec: {
      containers: [{ name: 'c', image: IMAGE, resources: { limits: { memory: '1Gi' } } }],
    },
  }
  const outcome = render(pod, bareNamespace('team'), config)
  return outcome.kind === 'deny'
    ? outcome.violations.find(({ code }) => code === 'no-command' || code === 'unconfined')
    : undefined
}

const FOUND_OUT = 'the controller looks it up (floor.resolveImages)'
const TO_ADD = '`outrigger images add'

test.each<[string, Given, string, string]>([
  ['a server of a ReplicaSet', {}, FOUND_OUT, TO_ADD],
  ['one over HTTP that is to be confined', { annotations: HTTP }, FOUND_OUT, TO_ADD],
  ['a bare pod, which nobody makes again', { ownerReferences: [] }, TO_ADD, FOUND_OUT],
  [
    'a pod of somebody unknown',
    { ownerReferences: [{ ...SET, kind: 'Rollout' }] },
    TO_ADD,
    FOUND_OUT,
  ],
  ['one that nobody looks up', { resolveImages: false }, TO_ADD, FOUND_OUT],
  [
    'one over HTTP that nobody looks up',
    { resolveImages: false, annotations: HTTP },
    TO_ADD,
    FOUND_OUT,
  ],
])('of %s', (_name, given, said, unsaid) => {
  const found = deniedFor(given)
  expect(found?.message).toContain(said)
  expect(found?.message).not.toContain(unsaid)
  // By which the controller knows what to look up.
  expect(found?.image).toBe(IMAGE)
})
