// Reviews that somebody has damaged: members gone, of another type, twice, nested, huge; bytes flipped,
// cut, doubled. Whatever comes, each gets a valid response or a 4xx, what is only judged no patch, and no pod that asks for
// a server passes without its sidecar or with what no level allows. OUTRIGGER_FUZZ_REVIEWS says how many (100000 take minutes),
// OUTRIGGER_FUZZ_SEED which.

import { expect, test } from '@jest/globals'
import { EMPTY_INDEX } from '../../../../shared/image-index.ts'
import {
  at,
  isObject,
  isSame,
  objectAt,
  objectsAt,
  stringAt,
  withAt,
  type Json,
  type JsonObject,
} from '../../../../shared/json.ts'
import { ENFORCE_LABEL } from '../../../../shared/names.ts'
import { mutate } from '../../../../webhook/admission/mutate.ts'
import { validate } from '../../../../webhook/admission/validate.ts'
import { parseClusterConfig } from '../../../../webhook/cluster/config.ts'
import type { Namespace } from '../../../../webhook/cluster/namespace.ts'
import { applyPatch, type Operation } from '../../../../webhook/inject/patch.ts'
import { render } from '../../../../webhook/inject/render.ts'
import { reviewOf } from '../../../support/admission.ts'
import { damagedReview, randomBy } from '../../../support/damaged-reviews.ts'

const REVIEWS = Number(process.env['OUTRIGGER_FUZZ_REVIEWS'] ?? 4000)
const SEED = Number(process.env['OUTRIGGER_FUZZ_SEED'] ?? 1)

const config = parseClusterConfig({
  sidecar: { image: 'example.com/sidecar:1' },
  settings: { auth: 'none' },
  floor: { allowAnonymous: true },
})
if (!config.ok) throw new Error(config.error.join('; '))

const namespace: Namespace = { name: 'servers', labels: {}, annotations: {} }
const strict: Namespace = { ...namespace, name: 'strict', labels: { [ENFORCE_LABEL]: 'strict' } }
const options = {
  config: () => config.value,
  images: () => EMPTY_INDEX,
  namespaces: {
    get: (name: string) => Promise.resolve(name === strict.name ? strict : namespace),
  },
  now: () => 0,
}

const ASKING: JsonObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web',
    annotations: { 'outrigger.dev/inject': 'true' },
    labels: { app: 'web' },
  },
  spec: {
    serviceAccountName: 'web',
    containers: [
      {
        name: 'server',
        image: 'example.com/server:1',
        command: ['server', '--stdio'],
        args: ['-v'],
        env: [{ name: 'A', value: 'b' }],
        ports: [{ containerPort: 8000, name: 'http' }],
        resources: { limits: { cpu: '1', memory: '1Gi' } },
        volumeMounts: [{ name: 'data', mountPath: '/data' }],
        securityContext: { runAsUser: 1000 },
        readinessProbe: { httpGet: { path: '/', port: 'http' } },
      },
    ],
    initContainers: [{ name: 'prepare', image: 'example.com/tool', command: ['true'] }],
    volumes: [{ name: 'data', emptyDir: {} }],
  },
}
const INJECTED = (() => {
  const outcome = render(
    { ...ASKING, spec: { ...objectAt(ASKING, 'spec') } },
    namespace,
    config.value,
  )
  if (outcome.kind !== 'inject') throw new Error(JSON.stringify(outcome))
  return outcome.pod
})()
const CHANGED: JsonObject = {
  ...INJECTED,
  spec: {
    ...objectAt(INJECTED, 'spec'),
    ephemeralContainers: [{ name: 'debug', image: 'busybox' }],
  },
}
const DEPLOYMENT: JsonObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', annotations: { 'outrigger.dev/inject': 'true' } },
  spec: { template: { metadata: {}, spec: ASKING['spec'] ?? {} } },
}

const ENTERING = { operation: 'CONNECT', subResource: 'attach', namespace: strict.name }

/** Each breaks one rule of every level: what makes it pass has to mend it. */
const WEAK: readonly JsonObject[] = [
  withAt(ASKING, ['spec', 'hostNetwork'], true),
  withAt(ASKING, ['spec', 'shareProcessNamespace'], true),
  withAt(ASKING, ['spec', 'volumes'], [{ name: 'data', hostPath: { path: '/' } }]),
  withAt(
    ASKING,
    ['spec', 'containers'],
    objectsAt(ASKING, 'spec', 'containers').map((container) =>
      withAt(container, ['securityContext', 'privileged'], true),
    ),
  ),
]

const SEEDS: readonly JsonObject[] = [
  reviewOf(ASKING),
  ...WEAK.map((pod) => reviewOf(pod)),
  reviewOf(INJECTED),
  reviewOf(CHANGED, {
    operation: 'UPDATE',
    subResource: 'ephemeralcontainers',
    oldObject: INJECTED,
  }),
  reviewOf(CHANGED, { operation: 'UPDATE', oldObject: INJECTED }),
  reviewOf(DEPLOYMENT, { resource: { group: 'apps', version: 'v1', resource: 'deployments' } }),
  reviewOf(
    { kind: 'PodExecOptions', command: ['sh'] },
    { operation: 'CONNECT', subResource: 'exec' },
  ),
  reviewOf({ kind: 'PodAttachOptions' }, ENTERING),
]

const parsedFrom = (body: Buffer): Json => {
  try {
    return JSON.parse(body.toString())
  } catch {
    return null
  }
}

const hasSidecar = (pod: JsonObject): boolean =>
  objectsAt(pod, 'spec', 'initContainers').some(
    (container) =>
      container['name'] === 'outrigger-sidecar' &&
      container['image'] === 'example.com/sidecar:1' &&
      container['restartPolicy'] === 'Always',
  )

const isMirror = (pod: JsonObject): boolean =>
  at(pod, 'metadata', 'annotations', 'kubernetes.io/config.mirror') !== undefined

/** Whether a request is an operation on pods, by whatever subresource. */
const askingKind = (request: JsonObject, operation: string): boolean =>
  isSame(request['resource'], { group: '', version: 'v1', resource: 'pods' }) &&
  request['operation'] === operation &&
  SUBRESOURCES[operation]?.some((one) => one === (request['subResource'] ?? '')) === true

const SUBRESOURCES: Readonly<Record<string, readonly string[]>> = {
  CREATE: [''],
  UPDATE: ['', 'status', 'ephemeralcontainers', 'resize'],
}

/** A pod that is created and asks for a server. */
const askingPod = (review: Json): JsonObject | undefined => {
  const request = objectAt(review, 'request')
  const object = request['object']
  if (!askingKind(request, 'CREATE') || !isObject(object) || isMirror(object)) return undefined
  const asks = at(object, 'metadata', 'annotations', 'outrigger.dev/inject') === 'true'
  return asks ? object : undefined
}

const patchedBy = (response: JsonObject, pod: JsonObject): JsonObject => {
  const patch = stringAt(response, 'patch')
  if (patch === undefined) return pod
  const operations: readonly Operation[] = JSON.parse(Buffer.from(patch, 'base64').toString())
  const applied = applyPatch(pod, operations)
  if (!applied.ok) throw new Error(applied.error)
  return applied.value
}

const isInjectedAs = (pod: Json | undefined): Json | undefined =>
  at(pod, 'metadata', 'labels', 'outrigger.dev/injected')

/** A label of ours that comes or goes on a running pod. */
const isForging = (review: Json): boolean => {
  const request = objectAt(review, 'request')
  const [object, old] = [request['object'], request['oldObject']]
  return (
    askingKind(request, 'UPDATE') &&
    isObject(object) &&
    !isSame(isInjectedAs(object), isInjectedAs(old))
  )
}

/** What no level allows, wherever it stands. */
const isWeak = (pod: JsonObject): boolean =>
  ['hostNetwork', 'hostPID', 'hostIPC', 'shareProcessNamespace'].some(
    (field) => at(pod, 'spec', field) === true,
  ) ||
  objectsAt(pod, 'spec', 'volumes').some((volume) => isObject(volume['hostPath'])) ||
  ['initContainers', 'containers'].some((list) =>
    objectsAt(pod, 'spec', list).some(
      (container) => at(container, 'securityContext', 'privileged') === true,
    ),
  )

/** Somebody gets into a pod where that is denied. */
const isEntering = (review: Json): boolean => {
  const request = objectAt(review, 'request')
  const { operation, subResource, namespace: name } = ENTERING
  return (
    isSame(request['resource'], { group: '', version: 'v1', resource: 'pods' }) &&
    request['operation'] === operation &&
    request['subResource'] === subResource &&
    request['namespace'] === name
  )
}

const faultOf = (pod: JsonObject): string | undefined => {
  if (!hasSidecar(pod)) return 'no sidecar'
  return isWeak(pod) ? 'weaker than any level allows' : undefined
}

/** What is wrong with what validation has let pass. */
const faultValidated = (review: Json): string | undefined => {
  if (isForging(review)) return 'a mark of ours is forged'
  if (isEntering(review)) return 'somebody gets into a pod'
  const pod = askingPod(review)
  return pod && faultOf(pod)
}

/** What is wrong with an answer; undefined where nothing is. */
const faultIn = (review: Json, document: JsonObject, way: typeof mutate): string | undefined => {
  const response = objectAt(document, 'response')
  if (typeof response['allowed'] !== 'boolean') return 'neither allowed nor denied'
  if (response['uid'] !== stringAt(review, 'request', 'uid')) return 'another uid'
  if (JSON.stringify(document).length > 400_000) return 'too long'
  if (way === validate && (response['patch'] ?? response['patchType']) !== undefined)
    return 'changes what is only judged'
  if (!response['allowed']) return undefined
  if (way === mutate) {
    const pod = askingPod(review)
    return pod && faultOf(patchedBy(response, pod))
  }
  return faultValidated(review)
}

interface Counts {
  allowed: number
  denied: number
  refused: number
  asked: number
}

const judge = async (body: Buffer, counts: Counts): Promise<readonly string[]> => {
  const review = parsedFrom(body)
  const faults: string[] = []
  for (const way of [mutate, validate]) {
    const { answer } = await way(body, options)
    if (!answer.ok) counts.refused += 1
    else {
      const { document } = answer.value
      const isAllowed = at(document, 'response', 'allowed') === true
      counts[isAllowed ? 'allowed' : 'denied'] += 1
      if (isAllowed && askingPod(review)) counts.asked += 1
      faults.push(...[faultIn(review, document, way) ?? []].flat())
    }
  }
  return faults
}

test(`${REVIEWS} damaged reviews of seed ${SEED}: a valid response or a 4xx each, and nothing passes that should not`, async () => {
  const random = randomBy(SEED)
  const counts: Counts = { allowed: 0, denied: 0, refused: 0, asked: 0 }
  for (let round = 0; round < REVIEWS; round += 1) {
    const body = damagedReview(SEEDS, random)
    const faults = await judge(body, counts)
    expect([faults, faults.length > 0 ? body.toString() : '']).toEqual([[], ''])
  }
  // None of them is rare: else the reviews would show nothing.
  for (const count of Object.values(counts)) expect(count).toBeGreaterThan(REVIEWS / 200)
})
