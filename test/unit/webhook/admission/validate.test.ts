import { describe, expect, test } from '@jest/globals'
import { EMPTY_INDEX } from '../../../../shared/image-index.ts'
import { objectAt, type Json, type JsonObject } from '../../../../shared/json.ts'
import { validate, type ValidateOptions } from '../../../../webhook/admission/validate.ts'
import { fixedNamespaces, type Namespaces } from '../../../../webhook/cluster/namespace.ts'
import type { GuardedPods } from '../../../../webhook/cluster/guarded-pods.ts'
import type { RunningPods } from '../../../../webhook/cluster/running-pods.ts'
import { GuardedLooks } from '../../../../webhook/validation/guarded.ts'
import { reviewOf, type ReviewFields } from '../../../support/admission.ts'
import { clusterConfig } from '../../../support/cluster-config.ts'

const config = clusterConfig({
  sidecar: { image: 'example.com/sidecar' },
  settings: { auth: 'none' },
  floor: {
    allowAnonymous: true,
    enforce: 'strict',
    allowBreakGlass: ['on-call'],
    allowLooserNamespaces: ['platform'],
  },
})
const { companions } = clusterConfig({ sidecar: { image: 'x' }, companions: {} })

const bytes = (value: Json): Uint8Array => Buffer.from(JSON.stringify(value))
const down: Namespaces = { get: () => Promise.reject(new Error('down')) }

const answer = async (
  review: JsonObject,
  namespaces = fixedNamespaces([]),
  pods?: RunningPods,
): Promise<JsonObject> => {
  const answered = await validate(bytes(review), {
    config: () => config,
    images: () => EMPTY_INDEX,
    namespaces,
    now: () => 0,
    ...(pods ? { pods } : {}),
  })
  if (!answered.answer.ok) throw new Error(answered.answer.error.message)
  return objectAt(answered.answer.value.document, 'response')
}

const ASKING: JsonObject = {
  metadata: { name: 'web', annotations: { 'outrigger.dev/inject': 'true' } },
  spec: { containers: [{ name: 'server', image: 'example.com/server:1', command: ['server'] }] },
}
const exec = { operation: 'CONNECT', subResource: 'exec' }
const OPTIONS: JsonObject = { apiVersion: 'v1', kind: 'PodExecOptions', command: ['sh'] }

const withGroups = (review: JsonObject, ...groups: readonly string[]): JsonObject => ({
  ...review,
  request: { ...objectAt(review, 'request'), name: 'web-1', userInfo: { username: 'ann', groups } },
})

describe('validate', () => {
  test('denies a pod that was never injected, with every reason', async () => {
    const response = await answer(reviewOf(ASKING))
    expect(response).toMatchObject({ uid: '1', allowed: false, status: { code: 403 } })
    expect(response['auditAnnotations']).toMatchObject({ decision: 'deny', reason: 'rule' })
    expect(objectAt(response, 'auditAnnotations')['rules']).toContain('image-digest')
    expect(objectAt(response, 'auditAnnotations')['rules']).toContain('sidecar')
    expect(JSON.stringify(response)).toContain('there is no container outrigger-sidecar in it')
  })

  test('says nothing of a pod that does not ask', async () => {
    const pod = { metadata: {}, spec: ASKING['spec'] ?? {} }
    expect(await answer(reviewOf(pod))).toEqual({
      uid: '1',
      allowed: true,
      auditAnnotations: { decision: 'skip', reason: 'not-opted-in' },
    })
  })

  test.each<readonly [string, ReviewFields, JsonObject | null]>([
    ['a deletion', { operation: 'DELETE' }, null],
    [
      'a subresource that is none of those',
      { operation: 'UPDATE', subResource: 'eviction' },
      ASKING,
    ],
    ['a creation without its object', {}, null],
    ['a connection to something else', { operation: 'CONNECT', subResource: 'log' }, OPTIONS],
  ])('%s passes', async (_name, fields, object) => {
    expect(await answer(reviewOf(object, fields))).toEqual({ uid: '1', allowed: true })
  })

  test.each(['ephemeralcontainers', 'resize', 'status', undefined])(
    'an update of %s is judged',
    async (subResource) => {
      const fields = {
        operation: 'UPDATE',
        ...(subResource ? { subResource } : {}),
        oldObject: { metadata: {} },
      }
      expect(await answer(reviewOf(ASKING, fields))).toMatchObject({
        allowed: false,
        auditAnnotations: { rules: 'own-keys' },
      })
    },
  )

  test('a pod of very many values that was created can be changed', async () => {
    const env = Array.from({ length: 4000 }, (_, index) => ({ name: `V${index}`, value: 'x' }))
    const fields = Object.fromEntries(env.map(({ name }) => [`k:{"name":"${name}"}`, {}]))
    const having = (labels: JsonObject): JsonObject => ({
      metadata: { name: 'web', labels, managedFields: [{ fieldsV1: fields }] },
      spec: { containers: [{ name: 'server', image: 'x', env }] },
    })
    const review = reviewOf(having({ app: 'web' }), { operation: 'UPDATE', oldObject: having({}) })
    expect(JSON.stringify(review).split(',').length).toBeGreaterThan(22_000)
    expect(await answer(review)).toMatchObject({ allowed: true })
  })

  test('an update without what was before counts as all new', async () => {
    expect(await answer(reviewOf(ASKING, { operation: 'UPDATE' }))).toMatchObject({
      allowed: false,
    })
  })

  test('an exec is denied in strict, and said of whom', async () => {
    const response = await answer(withGroups(reviewOf(OPTIONS, exec), 'system:masters'))
    expect(response).toMatchObject({ allowed: false, auditAnnotations: { rules: 'connections' } })
  })

  test('an exec by break-glass passes, and stands on record', async () => {
    expect(await answer(withGroups(reviewOf(OPTIONS, exec), 'on-call'))).toMatchObject({
      allowed: true,
      auditAnnotations: { reason: 'break-glass', recorded: 'connections (pod "web-1")' },
    })
  })

  test('groups that are no list of texts are none', async () => {
    const review = withGroups(reviewOf(OPTIONS, exec))
    const request = { ...objectAt(review, 'request'), userInfo: { groups: 'on-call' } }
    expect(await answer({ ...review, request })).toMatchObject({ allowed: false })
  })

  test.each([
    ['a pod', reviewOf(ASKING)],
    ['a change', reviewOf(ASKING, { operation: 'UPDATE' })],
    ['an exec', reviewOf(OPTIONS, exec)],
  ])('%s is refused where the namespace cannot be read', async (_name, review) => {
    expect(await answer(review, down)).toMatchObject({ allowed: false, status: { code: 503 } })
  })
})

describe('a namespace', () => {
  const namespaces = { group: '', version: 'v1', resource: 'namespaces' }
  const labelled = (labels: JsonObject): JsonObject => ({ metadata: { name: 'servers', labels } })
  const [out, optedIn] = [labelled({}), labelled({ 'outrigger.dev/injection': 'enabled' })]
  const change = (before: JsonObject, after: JsonObject, fields: ReviewFields = {}) =>
    reviewOf(after, { operation: 'UPDATE', resource: namespaces, oldObject: before, ...fields })
  const web: JsonObject = {
    metadata: {
      name: 'web-0',
      ownerReferences: [{ controller: true, kind: 'StatefulSet', name: 'web' }],
    },
    spec: { containers: [{ name: 'server', image: 'example.com/server:1' }] },
  }
  const pods: RunningPods = {
    list: async function* () {
      yield web
    },
    mayList: (_namespace, { user }) => Promise.resolve(user !== 'pat'),
    get: () => Promise.resolve(undefined),
  }

  test.each([{}, { dryRun: true }])('that opts in is told of its pods, %j', async (fields) => {
    expect(await answer(change(out, optedIn, fields), undefined, pods)).toMatchObject({
      allowed: true,
      warnings: [
        expect.stringMatching(/^statefulset\/web: its pods will be denied when .*runs: …$/),
        expect.stringMatching(
          /^statefulset\/web: … have `outrigger images add example\.com\/server:1` read it, or write it as `command`/,
        ),
        expect.stringMatching(/^statefulset\/web: … `docker image inspect .* \(and 3 more\)$/),
      ],
      auditAnnotations: { decision: 'allow', reason: 'complies' },
    })
  })

  test('tells who may not list its pods of none by name', async () => {
    const request = { userInfo: { username: 'pat' } }
    expect(await answer(change(out, optedIn, request), undefined, pods)).toMatchObject({
      allowed: true,
      warnings: [
        'namespace servers: running pods that will be denied when they are made anew: 1',
        expect.stringContaining('told to whoever may list them'),
      ],
    })
  })

  test('passes where its pods cannot be listed, or the namespace read', async () => {
    const failing = {
      ...pods,
      list: () => {
        throw new Error('403')
      },
    }
    for (const each of [failing, undefined]) {
      expect(await answer(change(out, optedIn), down, each)).toMatchObject({
        allowed: true,
        warnings: [expect.stringContaining('which, is not known')],
      })
    }
  })

  test.each([undefined, 'status', 'finalize'])('keeps its words, by %s', async (subResource) => {
    const review = change(optedIn, out, subResource === undefined ? {} : { subResource })
    expect(await answer(withGroups(review, 'devs'), undefined, pods)).toMatchObject({
      allowed: false,
      status: { code: 403, message: expect.stringContaining('(rule namespaces)') },
      auditAnnotations: { rules: 'namespaces' },
    })
    expect(await answer(withGroups(review, 'platform'), undefined, pods)).toMatchObject({
      allowed: true,
      auditAnnotations: {
        reason: 'break-glass',
        recorded: 'namespaces (namespace servers)',
      },
    })
  })

  describe('that is created', () => {
    const unread: RunningPods = {
      ...pods,
      list: () => {
        throw new Error('there are none to list')
      },
    }
    const create = (labels: JsonObject, says: JsonObject = {}): JsonObject => {
      const object = { metadata: { name: 'servers', labels, annotations: says } }
      return withGroups(reviewOf(object, { resource: namespaces }), 'devs')
    }

    test.each<readonly [string, JsonObject, JsonObject, readonly unknown[]]>([
      ['opts in', { 'outrigger.dev/injection': 'enabled' }, {}, []],
      ['has no word of ours', { team: 'blue' }, {}, []],
      [
        'opts in by a word that does not',
        { 'outrigger.dev/injection': 'enable' },
        {},
        [
          'namespace servers: label outrigger.dev/injection: "enable" opts nothing in; the value that does is "enabled"',
        ],
      ],
      [
        'asks for a level that is none',
        { 'outrigger.dev/enforce': 'strikt', 'outrigger.dev/warn': 'al' },
        {},
        [
          'namespace servers: label outrigger.dev/enforce: "strikt" is none of off, baseline, strict; it counts as strict',
          'namespace servers: label outrigger.dev/warn: "al" is none of off, baseline, strict; it counts for nothing',
        ],
      ],
      [
        'has a value that nobody can read',
        {},
        { 'outrigger.dev/request-timeout': 'soon' },
        [expect.stringMatching(/^pods that ask for a server will be denied: namespace servers: /)],
      ],
    ])('and %s', async (_name, labels, says, warnings) => {
      const response = await answer(create(labels, says), down, unread)
      expect([response['allowed'], response['warnings'] ?? []]).toEqual([true, warnings])
    })

    test('says not what is left out of records', async () => {
      const review = create({}, { 'outrigger.dev/audit-redact': 'amount' })
      expect(await answer(review, down, unread)).toMatchObject({
        allowed: false,
        status: { code: 403 },
        auditAnnotations: { rules: 'namespaces' },
      })
      expect(await answer(withGroups(review, 'platform'), down, unread)).toMatchObject({
        allowed: true,
        auditAnnotations: { reason: 'break-glass' },
      })
    })
  })

  test('that is deleted, or keeps what is ours, is nobody’s to judge', async () => {
    const response = await answer(change(optedIn, out, { operation: 'DELETE' }), undefined, pods)
    expect(response).toEqual({ uid: '1', allowed: true })
    const blue = labelled({ 'outrigger.dev/injection': 'enabled', team: 'blue' })
    expect(await answer(change(optedIn, blue), undefined, pods)).toMatchObject({
      allowed: true,
      auditAnnotations: { reason: 'unchanged' },
    })
  })
})

describe('a NetworkPolicy', () => {
  const resource = { group: 'networking.k8s.io', version: 'v1', resource: 'networkpolicies' }
  const labels = { 'outrigger.dev/injected': 'true', 'outrigger.dev/server': 'deployment-web' }
  const guarded: GuardedPods = {
    turn: () => Promise.resolve(() => undefined),
    pods: async function* () {
      yield { metadata: { labels: { ...labels, app: 'web' } } }
    },
    policies: async function* () {},
  }
  const having = (ingress: readonly JsonObject[]): JsonObject => ({
    metadata: { name: 'theirs' },
    spec: { podSelector: { matchLabels: { app: 'web' } }, ingress: [...ingress] },
  })
  const [open, closed] = [having([{}]), having([])]
  const judged = async (
    review: JsonObject,
    more: Partial<ValidateOptions> = { guarded: new GuardedLooks(guarded) },
  ) => {
    const answered = await validate(bytes(review), {
      config: () => ({ ...config, companions }),
      images: () => EMPTY_INDEX,
      namespaces: fixedNamespaces([]),
      now: () => 0,
      ...more,
    })
    if (!answered.answer.ok) throw new Error(answered.answer.error.message)
    return objectAt(answered.answer.value.document, 'response')
  }
  const update = (before: JsonObject, after: JsonObject, fields: ReviewFields = {}) =>
    reviewOf(after, { operation: 'UPDATE', resource, oldObject: before, ...fields })

  test.each([{}, { dryRun: true }])('that opens an injected pod is denied, %j', async (fields) => {
    for (const review of [reviewOf(open, { resource, ...fields }), update(closed, open, fields)]) {
      expect(await judged(review)).toMatchObject({
        allowed: false,
        status: { code: 403, message: expect.stringContaining('(rule network-policies)') },
        auditAnnotations: { rules: 'network-policies' },
      })
    }
  })

  test.each<[string, JsonObject]>([
    ['that closes', reviewOf(closed, { resource })],
    ['that no longer opens', update(open, closed)],
    ['that stays as it was', update(open, open)],
  ])('%s passes, and nobody is looked at', async (_name, review) => {
    expect(await judged(review, {})).toMatchObject({ allowed: true })
  })

  test('that is deleted is nobody’s to judge', async () => {
    const review = reviewOf(null, { operation: 'DELETE', resource, oldObject: open })
    expect(await judged(review)).toEqual({ uid: '1', allowed: true })
  })

  test('is denied where nobody can tell whom it selects', async () => {
    const late: Partial<ValidateOptions> = {
      guarded: new GuardedLooks({
        ...guarded,
        pods: () => guarded.policies('', new AbortController().signal),
      }),
      sleep: () => Promise.resolve(),
    }
    for (const more of [{}, late]) {
      const { status } = await judged(reviewOf(open, { resource }), more)
      expect(status).toMatchObject({
        message: expect.stringContaining('nobody can tell what it opens'),
      })
    }
    expect(await judged(reviewOf(open, { resource }), { namespaces: down })).toMatchObject({
      allowed: false,
      status: { code: 503 },
    })
  })
})

describe('an exec where the namespace does not opt in', () => {
  const read = (pod: () => Promise<JsonObject | undefined>): RunningPods => ({
    list: async function* () {
      yield ASKING
    },
    mayList: () => Promise.resolve(false),
    get: pod,
  })
  const served = { spec: { initContainers: [{ name: 'outrigger-sidecar' }] } }
  test.each<readonly [string, () => Promise<JsonObject | undefined>, boolean]>([
    ['into a pod with a server', () => Promise.resolve(served), false],
    [
      'into one that was injected',
      () => Promise.resolve({ metadata: { labels: { 'outrigger.dev/injected': 'true' } } }),
      false,
    ],
    ['into another', () => Promise.resolve(ASKING), true],
    ['into none', () => Promise.resolve(undefined), true],
    ['into one that cannot be read', () => Promise.reject(new Error('403')), false],
  ])('%s', async (_name, pod, allowed) => {
    const response = await answer(withGroups(reviewOf(OPTIONS, exec)), undefined, read(pod))
    expect(response).toMatchObject({ allowed })
  })

  test('is judged whatever the pod is where it opts in', async () => {
    const namespaces = fixedNamespaces([
      { name: 'servers', labels: { 'outrigger.dev/injection': 'enabled' }, annotations: {} },
    ])
    const pods = read(() => Promise.resolve(ASKING))
    const response = await answer(withGroups(reviewOf(OPTIONS, exec)), namespaces, pods)
    expect(response).toMatchObject({ allowed: false })
  })
})
