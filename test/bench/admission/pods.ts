// Pods as API servers send them, of a size: one that a real one has sent, with more of what makes pods large: helpers with
// probes, variables, volumes, and the last applied manifest in an annotation. Pure.

import { readFileSync } from 'node:fs'
import { objectAt, objectsAt, withAt, type Json, type JsonObject } from '../../../shared/json.ts'

const RECORDED = new URL('../../fixtures/admission/rich-pod.before.json', import.meta.url)

const recorded = (): JsonObject => {
  const review: JsonObject = JSON.parse(readFileSync(RECORDED, 'utf8'))
  const pod = objectAt(review, 'request', 'object')
  return withAt(pod, ['metadata', 'annotations', 'outrigger.dev/container'], 'server')
}

const helper = (index: number): JsonObject => ({
  name: `helper-${index}`,
  image: `registry.example.com/team/helper:${index}`,
  command: ['/usr/local/bin/helper', '--listen', `127.0.0.1:${9000 + index}`],
  env: Array.from({ length: 12 }, (_, variable) => ({
    name: `HELPER_SETTING_${variable}`,
    value: `https://service-${variable}.team.svc.cluster.local:8443/path`,
  })),
  resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { cpu: '1', memory: '128Mi' } },
  readinessProbe: { tcpSocket: { port: 9000 + index }, periodSeconds: 10, failureThreshold: 3 },
  volumeMounts: [{ name: `data-${index}`, mountPath: '/data' }],
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  imagePullPolicy: 'IfNotPresent',
})

const volume = (index: number): JsonObject => ({ name: `data-${index}`, emptyDir: {} })

const append = (pod: JsonObject, list: string, items: readonly Json[]): JsonObject =>
  withAt(pod, ['spec', list], [...objectsAt(pod, 'spec', list), ...items])

const withHelpers = (count: number): JsonObject => {
  const numbers = Array.from({ length: count }, (_, index) => index)
  return append(
    append(recorded(), 'containers', numbers.map(helper)),
    'volumes',
    numbers.map(volume),
  )
}

// Its own spec as text is about as long again.
const withLastApplied = (pod: JsonObject): JsonObject =>
  withAt(
    pod,
    ['metadata', 'annotations', 'kubectl.kubernetes.io/last-applied-configuration'],
    JSON.stringify({ spec: pod['spec'] }),
  )

const sizeOf = (pod: JsonObject): number => JSON.stringify(pod).length

/** A pod of at least that many bytes, and hardly more. */
export const podOf = (bytes: number): JsonObject => {
  let pod = recorded()
  for (let helpers = 1; sizeOf(pod) < bytes; helpers += 1)
    pod = withLastApplied(withHelpers(helpers))
  return pod
}
