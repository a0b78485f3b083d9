// Reviews that somebody has damaged: members gone, of another type, twice, nested, huge; bytes flipped, cut, doubled.
// Whatever comes, each gets a valid response or a 4xx, what is only judged no patch, and no pod that asks for a server passes
// without its sidecar or with what no level allows. A pod that is injected has all that its sidecar needs, a second pass leaves
// it as it is, and validation lets it pass. `npm run test:fuzz` judges 100,000: OUTRIGGER_FUZZ_REVIEWS says how many,
// OUTRIGGER_FUZZ_SEED from which seed on.

import { expect, test } from '@jest/globals'
import { EMPTY_INDEX } from '../../../../shared/image-index.ts'
import { objectAt, objectsAt, withAt, type Json, type JsonObject } from '../../../../shared/json.ts'
import { ENFORCE_LABEL, INJECTION_LABEL } from '../../../../shared/names.ts'
import { mutate } from '../../../../webhook/admission/mutate.ts'
import { validate } from '../../../../webhook/admission/validate.ts'
import type { Namespace } from '../../../../webhook/cluster/namespace.ts'
import { render } from '../../../../webhook/inject/render.ts'
import { reviewOf } from '../../../support/admission.ts'
import { damagedReview, randomBy } from '../../../support/damaged-reviews.ts'
import {
  askingPod,
  faultIn,
  OPTED_IN,
  patchedBy,
  reviewAfter,
  STRICT,
  type Way,
} from '../../../support/review-answers.ts'
import { missingIn } from '../../../support/sidecar-needs.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

/** Of one seed each. */
const BATCH = 4000
const REVIEWS = Number(process.env['OUTRIGGER_FUZZ_REVIEWS'] ?? BATCH)
const SEED = Number(process.env['OUTRIGGER_FUZZ_SEED'] ?? 1)

const config = clusterConfig({
  sidecar: { image: 'example.com/sidecar:1' },
  settings: { auth: 'none' },
  floor: { allowAnonymous: true, egress: { '*': ['example.com:443'] } },
})

const namespace: Namespace = { name: 'servers', labels: {}, annotations: {} }
const strict: Namespace = { ...namespace, name: STRICT, labels: { [ENFORCE_LABEL]: 'strict' } }
const optedIn: Namespace = {
  ...namespace,
  name: OPTED_IN,
  labels: { [INJECTION_LABEL]: 'enabled' },
}
const LABELLED = new Map([strict, optedIn].map((one) => [one.name, one]))
const options = {
  config: () => config,
  images: () => EMPTY_INDEX,
  namespaces: {
    get: (name: string) => Promise.resolve(LABELLED.get(name) ?? namespace),
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
  const outcome = render({ ...ASKING, spec: { ...objectAt(ASKING, 'spec') } }, namespace, config)
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

const ENTERING = { operation: 'CONNECT', subResource: 'attach', namespace: STRICT }

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

/** With what its sidecar mounts besides. */
const annotated = (more: Readonly<Record<string, string>>): JsonObject =>
  withAt(ASKING, ['metadata', 'annotations'], {
    'outrigger.dev/inject': 'true',
    ...Object.fromEntries(
      Object.entries(more).map(([key, text]) => [`outrigger.dev/${key}`, text]),
    ),
  })
const LARGER: readonly (readonly [name: string, pod: JsonObject])[] = [
  ['speaks HTTP', annotated({ transport: 'http', port: '8000' })],
  [
    'has a policy, a lock and a certificate',
    annotated({ 'tool-policy': 'policy', 'tool-lock': 'lock', 'tls-secret': 'outrigger-tls' }),
  ],
  [
    'reaches a host and writes into its paths',
    annotated({ egress: 'example.com:443', 'writable-paths': '/data,/work' }),
  ],
]
const IN_OPTED_IN = reviewOf(withAt(ASKING, ['metadata', 'annotations'], {}), {
  namespace: OPTED_IN,
})

const NAMESPACES = { group: '', version: 'v1', resource: 'namespaces' }
const namespaceObject = (labels: JsonObject): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: OPTED_IN, labels },
})
/** Somebody takes back what his namespace asks for. */
const LOOSENED = reviewOf(namespaceObject({}), {
  operation: 'UPDATE',
  resource: NAMESPACES,
  namespace: OPTED_IN,
  oldObject: namespaceObject({ [INJECTION_LABEL]: 'enabled' }),
})

const SEEDS: readonly JsonObject[] = [
  reviewOf(ASKING),
  ...WEAK.map((pod) => reviewOf(pod)),
  ...LARGER.map(([, pod]) => reviewOf(pod)),
  IN_OPTED_IN,
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
  LOOSENED,
]

const parsedFrom = (body: Buffer): Json => {
  try {
    return JSON.parse(body.toString())
  } catch {
    return null
  }
}

interface Counts {
  allowed: number
  denied: number
  refused: number
  asked: number
  patched: number
}

const noCounts = (): Counts => ({ allowed: 0, denied: 0, refused: 0, asked: 0, patched: 0 })

const WAYS: readonly (readonly [Way, typeof mutate])[] = [
  ['/mutate', mutate],
  ['/validate', validate],
]

const documentFor = async (review: JsonObject, way: typeof mutate): Promise<JsonObject> => {
  const { answer } = await way(Buffer.from(JSON.stringify(review)), options)
  if (!answer.ok) throw new Error(answer.error.message)
  return objectAt(answer.value.document, 'response')
}

/** What is wrong with a pod that is stored as `/mutate` has answered, and with what is said of it then. */
const faultsStored = async (review: Json, pod: JsonObject): Promise<readonly string[]> => {
  const after = reviewAfter(review, pod)
  const again = await documentFor(after, mutate)
  const judged = await documentFor(after, validate)
  return [
    ...missingIn(pod).map((part) => `it lacks ${part}`),
    ...(again['allowed'] === true ? [] : ['a second pass denies it']),
    ...(again['patch'] === undefined ? [] : ['a second pass changes it']),
    ...(judged['allowed'] === true ? [] : [`validation denies it: ${JSON.stringify(judged)}`]),
  ]
}

const judge = async (body: Buffer, counts: Counts): Promise<readonly string[]> => {
  const review = parsedFrom(body)
  const faults: string[] = []
  for (const [name, way] of WAYS) {
    const { answer } = await way(body, options)
    if (!answer.ok) {
      counts.refused += 1
      continue
    }
    const { document } = answer.value
    const response = objectAt(document, 'response')
    counts[response['allowed'] === true ? 'allowed' : 'denied'] += 1
    faults.push(...[faultIn(review, document, name) ?? []].flat())
    const pod = response['allowed'] === true ? askingPod(review) : undefined
    if (pod === undefined) continue
    counts.asked += 1
    if (response['patch'] === undefined) continue
    counts.patched += 1
    faults.push(...(await faultsStored(review, patchedBy(response, pod))))
  }
  return faults
}

const COMPLYING: readonly (readonly [name: string, review: JsonObject])[] = [
  ['speaks stdio', reviewOf(ASKING)],
  ['is asked for by its namespace', IN_OPTED_IN],
  ...LARGER.map(([name, pod]) => [name, reviewOf(pod)] as const),
]

test.each(COMPLYING)('undamaged, a server that %s is injected whole', async (_name, review) => {
  const counts = noCounts()
  expect(await judge(Buffer.from(JSON.stringify(review)), counts)).toEqual([])
  expect(counts).toEqual({ allowed: 1, denied: 1, refused: 0, asked: 1, patched: 1 })
})

const BATCHES = Array.from({ length: Math.ceil(REVIEWS / BATCH) }, (_, batch) => SEED + batch)

test.each(BATCHES)(
  `${BATCH} damaged reviews of seed %d: a valid response or a 4xx each, nothing passes that should not, and what is injected is whole`,
  async (seed) => {
    const random = randomBy(seed)
    const counts = noCounts()
    for (let round = 0; round < BATCH; round += 1) {
      const body = damagedReview(SEEDS, random)
      const faults = await judge(body, counts)
      expect([faults, faults.length > 0 ? body.toString() : '']).toEqual([[], ''])
    }
    // None of them is rare: else the reviews would show nothing.
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(BATCH / 200)
  },
)
