import { describe, expect, test } from '@jest/globals'
import { objectAt, type JsonObject } from '../../../../shared/json.ts'
import {
  mayOpen,
  openedByWrite,
  type GuardedWorkload,
} from '../../../../webhook/companions/policy-write.ts'

const LABELS = { 'outrigger.dev/injected': 'true', 'outrigger.dev/server': 'deployment-web' }
const pods = (matchLabels: JsonObject): JsonObject => ({ podSelector: { matchLabels } })
const port = (number: number, endPort?: number): JsonObject => ({
  protocol: 'TCP',
  port: number,
  ...(endPort === undefined ? {} : { endPort }),
})
const DNS: JsonObject = { to: [{ namespaceSelector: {} }], ports: [port(53)] }
const LEAST: JsonObject = { policyTypes: ['Ingress', 'Egress'], ingress: [], egress: [DNS] }
const OURS: JsonObject = {
  ...LEAST,
  ingress: [{ from: [pods({ role: 'client' })], ports: [port(15_200)] }],
}
const around = { namespace: 'team', least: LEAST }

const WEB: GuardedWorkload = {
  server: 'deployment-web',
  pods: [{ ...LABELS, app: 'web', pod: '0' }],
  spec: OURS,
}
const NEW: GuardedWorkload = { ...WEB, spec: undefined }
const UNBORN: GuardedWorkload = { ...WEB, pods: [] }

const policy = (selector: JsonObject, ...ingress: readonly JsonObject[]): JsonObject => ({
  podSelector: selector,
  policyTypes: ['Ingress'],
  ingress: [...ingress],
})
const EVERY: JsonObject = {}
const APP: JsonObject = { matchLabels: { app: 'web' } }
const OTHER: JsonObject = { matchLabels: { app: 'db' } }
const GUEST: JsonObject = { from: [pods({ role: 'guest' })], ports: [port(15_200)] }
const CLIENT: JsonObject = { from: [pods({ role: 'client' })], ports: [port(15_200)] }
const WIDE: JsonObject = { ports: [port(8000, 9000)] }
const NOT_GUEST: JsonObject = {
  from: [
    {
      podSelector: {
        matchExpressions: [{ key: 'role', operator: 'NotIn', values: ['guest', 'x'] }],
      },
    },
  ],
}

interface Row {
  readonly name: string
  readonly before?: JsonObject
  readonly after: JsonObject
  readonly workloads?: readonly GuardedWorkload[]
  readonly opens: readonly string[]
}

describe('a policy that is written opens', () => {
  test.each<Row>([
    { name: 'everything, to every pod', after: policy(EVERY, {}), opens: ['ingress'] },
    { name: 'what ours opens: nothing', after: policy(APP, CLIENT), opens: [] },
    { name: 'our port to others', after: policy(APP, GUEST), opens: ['ingress'] },
    { name: 'nothing to pods that it does not select', after: policy(OTHER, {}), opens: [] },
    { name: 'nothing where no pod is guarded', after: policy(APP, {}), workloads: [], opens: [] },
    {
      name: 'what a pod without a policy of its own has not',
      after: policy(APP, CLIENT),
      workloads: [NEW],
      opens: ['ingress'],
    },
    {
      name: 'something to pods that are still to come, by our own labels',
      after: policy({ matchLabels: { 'outrigger.dev/injected': 'true' } }, {}),
      workloads: [UNBORN],
      opens: ['ingress'],
    },
    ...[
      { matchLabels: { 'outrigger.dev/server': 'pod-new' } },
      {
        matchExpressions: [
          { key: 'outrigger.dev/server', operator: 'In', values: ['x', 'pod-new'] },
        ],
      },
    ].map((selector) => ({
      name: `something to a workload that it names, ${Object.keys(selector).join()}`,
      after: policy(selector, CLIENT),
      workloads: [],
      opens: ['ingress'],
    })),
    {
      name: 'nothing to those of which nobody knows their own labels',
      after: policy(APP, {}),
      workloads: [UNBORN],
      opens: [],
    },
    {
      name: 'both sides',
      after: { podSelector: APP, policyTypes: ['Ingress', 'Egress'], ingress: [{}], egress: [{}] },
      opens: ['ingress', 'egress'],
    },
    {
      name: 'nothing that stood there before',
      before: policy(APP, GUEST),
      after: policy(APP, GUEST, CLIENT),
      opens: [],
    },
    {
      name: 'nothing where a rule goes',
      before: policy(APP, GUEST, {}),
      after: policy(APP, GUEST),
      opens: [],
    },
    {
      name: 'nothing where a rule is narrowed',
      before: policy(APP, {}),
      after: policy(APP, GUEST),
      opens: [],
    },
    {
      name: 'nothing where a range of ports is narrowed',
      before: policy(APP, WIDE),
      after: policy(APP, { ports: [port(8080), port(8500, 9000)] }),
      opens: [],
    },
    {
      name: 'more ports than before',
      before: policy(APP, WIDE),
      after: policy(APP, { ports: [port(8000, 9001)] }),
      opens: ['ingress'],
    },
    {
      name: 'more than expressions have let in',
      before: policy(APP, NOT_GUEST),
      after: policy(APP, { from: [{ podSelector: {} }] }),
      opens: ['ingress'],
    },
    {
      name: 'nothing more to a part of what expressions let in',
      before: policy(APP, NOT_GUEST),
      after: policy(APP, { ...NOT_GUEST, ports: [port(15_200)] }),
      opens: [],
    },
    {
      name: 'what it said before, to pods that it selects from now on',
      before: policy(OTHER, GUEST),
      after: policy(EVERY, GUEST),
      opens: ['ingress'],
    },
    {
      name: 'nothing where it selects fewer',
      before: policy(EVERY, GUEST),
      after: policy(APP, GUEST),
      opens: [],
    },
    {
      name: 'a side that it says from now on',
      before: { podSelector: APP, policyTypes: ['Ingress'], ingress: [], egress: [{}] },
      after: {
        podSelector: APP,
        policyTypes: ['Ingress', 'Egress'],
        ingress: [],
        egress: [{}],
      },
      opens: ['egress'],
    },
    {
      name: 'the one of two workloads whose policy closes it',
      after: policy(EVERY, CLIENT),
      workloads: [WEB, { ...NEW, server: 'deployment-other', pods: [] }],
      opens: ['ingress'],
    },
  ])('$name', ({ before, after, workloads = [WEB], opens }) => {
    const write = { name: 'theirs', before, after }
    expect(openedByWrite(write, workloads, around)).toEqual(opens)
    // Whatever it opens to anybody needs a look.
    expect(mayOpen(write, around) || opens.length === 0).toBe(true)
  })

  test.each<[string, JsonObject | undefined, JsonObject]>([
    ['closes all', undefined, policy(EVERY)],
    ['lets names be resolved', undefined, { podSelector: EVERY, egress: [DNS] }],
    ['loses a rule', policy(APP, GUEST, {}), policy(APP, GUEST)],
  ])('nobody is looked at for one that %s', (_what, before, after) => {
    expect(mayOpen({ name: 'theirs', before, after }, around)).toBe(false)
  })

  test('is taken to open where there is more of it than is compared', () => {
    const peers = Array.from({ length: 150 }, (_, index) => pods({ role: 'client', n: `${index}` }))
    const after = policy(APP, { from: peers, ports: [port(15_200)] })
    const write = { name: 'theirs', before: undefined, after }
    expect(openedByWrite(write, [WEB], around)).toEqual([])
    const many = Array.from({ length: 400 }, (_, index) => ({ ...WEB, server: `s-${index}` }))
    expect(openedByWrite(write, many, around)).toEqual(['ingress'])
  })

  const naming = (operator: string, count: number, ...ingress: readonly JsonObject[]) => {
    const values = Array.from({ length: count }, (_, index) => `v${index}`)
    const expression = { key: 'outrigger.dev/server', operator, values }
    return policy({ matchExpressions: [expression] }, ...ingress)
  }
  const nobody = {
    ...naming('NotIn', 102, CLIENT),
    podSelector: {
      ...objectAt(naming('NotIn', 102), 'podSelector'),
      matchLabels: { 'outrigger.dev/server': 'v1' },
    },
  }
  const first = Array.from({ length: 101 }, (_, index) => ({ ...WEB, server: `v${index}` }))

  test.each<[string, JsonObject | undefined, JsonObject, readonly string[]]>([
    ['selects one of them', undefined, naming('In', 102, CLIENT), ['ingress']],
    ['selects more than before', naming('In', 101, CLIENT), naming('In', 102, CLIENT), ['ingress']],
    ['opens no more than before', naming('In', 102, CLIENT), naming('In', 102, CLIENT), []],
    ['opens less than before', naming('In', 102, CLIENT, GUEST), naming('In', 102, CLIENT), []],
    ['selects none that it names', undefined, nobody, []],
  ])('where it names more than are thought of, and %s', (_what, before, after, opens) => {
    const write = { name: 'theirs', before, after }
    // Those that have a policy of their own let clients in.
    expect(openedByWrite(write, first, around)).toEqual(opens)
  })

  test('selects whom it cannot be told not to, where its selector is too long', () => {
    const values = Array.from({ length: 5000 }, (_, index) => `v${index}`)
    const expression = { key: 'app', operator: 'In', values }
    const after = policy({ matchExpressions: [expression] }, {})
    const many = Array.from({ length: 100 }, (_, index) => ({ ...WEB, server: `s-${index}` }))
    const write = { name: 'theirs', before: undefined, after }
    expect(openedByWrite(write, [WEB], around)).toEqual([])
    expect(openedByWrite(write, many, around)).toEqual(['ingress'])
  })
})
