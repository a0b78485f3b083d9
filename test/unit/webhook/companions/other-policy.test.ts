import { describe, expect, test } from '@jest/globals'
import { objectsAt, type JsonObject } from '../../../../shared/json.ts'
import { openedFor, openings, selects } from '../../../../webhook/companions/other-policy.ts'
import { NOT_NEAR, podsIn } from '../../../../webhook/companions/peers.ts'

const pods = (matchLabels: JsonObject): JsonObject => ({ podSelector: { matchLabels } })
const port = (number: number | string, protocol = 'TCP'): JsonObject => ({ protocol, port: number })
const block = (cidr: string, ...except: readonly string[]): JsonObject => ({
  ipBlock: { cidr, ...(except.length > 0 ? { except: [...except] } : {}) },
})

/** A usual one of ours. */
const OURS: JsonObject = {
  podSelector: { matchLabels: { 'outrigger.dev/injected': 'true' } },
  policyTypes: ['Ingress', 'Egress'],
  ingress: [
    { from: [podsIn('agents', { app: 'chat' }), pods({ role: 'client' })], ports: [port(15_200)] },
    { from: [podsIn('monitoring')], ports: [port(15_201)] },
  ],
  egress: [
    {
      to: [podsIn('kube-system'), block('169.254.20.10/32')],
      ports: [port(53, 'UDP'), port(53)],
    },
    { to: [block('10.0.0.0/8', '10.1.0.0/16')], ports: [port(5432)] },
  ],
}
/** One that lets everybody in at our port, and out to where servers are only observed. */
const OPEN: JsonObject = {
  ...OURS,
  ingress: [{ ports: [port(15_200)] }],
  egress: [{ to: [...NOT_NEAR, { namespaceSelector: {} }] }],
}

const from = (peer: JsonObject | undefined, ...ports: readonly JsonObject[]): JsonObject => ({
  policyTypes: ['Ingress'],
  ingress: [{ ...(peer ? { from: [peer] } : {}), ...(ports.length > 0 ? { ports } : {}) }],
})
const to = (peer: JsonObject | undefined, ...ports: readonly JsonObject[]): JsonObject => ({
  policyTypes: ['Egress'],
  egress: [{ ...(peer ? { to: [peer] } : {}), ...(ports.length > 0 ? { ports } : {}) }],
})

describe('a policy of somebody else’s opens', () => {
  test.each<[string, JsonObject, JsonObject, readonly string[]]>([
    ['nothing: it closes all', { policyTypes: ['Ingress', 'Egress'] }, OURS, []],
    ['nothing: it is the same', OURS, OURS, []],
    ['everything in', { policyTypes: ['Ingress'], ingress: [{}] }, OURS, ['ingress']],
    ['everything out', { policyTypes: ['Egress'], egress: [{}] }, OURS, ['egress']],
    ['both', { ingress: [{}], egress: [{}] }, OURS, ['ingress', 'egress']],
    ['nothing of what is not among its types', { ...to(undefined), policyTypes: [] }, OURS, []],

    ['our port to everybody', from(undefined, port(15_200)), OURS, ['ingress']],
    ['our port to its namespace', from({ podSelector: {} }, port(15_200)), OURS, ['ingress']],
    ['our port to those of ours', from(pods({ role: 'client' }), port(15_200)), OURS, []],
    [
      'our port to some of those of ours',
      from(pods({ role: 'client', tier: 'a' }), port(15_200)),
      OURS,
      [],
    ],
    [
      'our port to some, by its namespace’s name',
      from(podsIn('team', { role: 'client' }), port(15_200)),
      OURS,
      [],
    ],
    [
      'our port to pods so labelled elsewhere',
      from(podsIn('other', { role: 'client' }), port(15_200)),
      OURS,
      ['ingress'],
    ],
    [
      'our port to a namespace of which we name some pods',
      from(podsIn('agents'), port(15_200)),
      OURS,
      ['ingress'],
    ],
    [
      'our port to who lacks a label',
      from(
        { podSelector: { matchExpressions: [{ key: 'role', operator: 'DoesNotExist' }] } },
        port(15_200),
      ),
      OURS,
      ['ingress'],
    ],
    [
      'metrics to all that we let at them',
      from(podsIn('monitoring', { app: 'prometheus' }), port(15_201)),
      OURS,
      [],
    ],
    ['another port to them', from(podsIn('monitoring'), port(9090)), OURS, ['ingress']],
    ['every port to them', from(podsIn('monitoring')), OURS, ['ingress']],
    [
      'ports from ours on',
      from(podsIn('monitoring'), { ...port(15_201), endPort: 15_300 }),
      OURS,
      ['ingress'],
    ],
    ['all of a protocol', from(podsIn('monitoring'), { protocol: 'TCP' }), OURS, ['ingress']],
    [
      'the same by another protocol',
      from(podsIn('monitoring'), port(15_201, 'UDP')),
      OURS,
      ['ingress'],
    ],
    ['the same without a protocol', from(podsIn('monitoring'), { port: 15_201 }), OURS, []],
    ['a port by name', from(podsIn('monitoring'), port('admin')), OURS, ['ingress']],
    ['what is open to everybody', from(podsIn('x'), port(15_200)), OPEN, []],
    ['that, to everybody', from(undefined, port(15_200)), OPEN, []],
    ['more than that, to everybody', from(undefined), OPEN, ['ingress']],

    ['the way to names', to(podsIn('kube-system'), port(53, 'UDP')), OURS, []],
    ['the way to names anywhere', to({ namespaceSelector: {} }, port(53, 'UDP')), OURS, ['egress']],
    ['addresses within ours', to(block('10.2.0.0/16'), port(5432)), OURS, []],
    ['ours', to(block('10.0.0.0/8', '10.1.0.0/16'), port(5432)), OURS, []],
    ['ours, with what we leave out', to(block('10.0.0.0/8'), port(5432)), OURS, ['egress']],
    ['what we leave out', to(block('10.1.2.0/24'), port(5432)), OURS, ['egress']],
    ['ours, with more left out', to(block('10.0.0.0/8', '10.0.0.0/15'), port(5432)), OURS, []],
    ['wider addresses', to(block('10.0.0.0/7'), port(5432)), OURS, ['egress']],
    ['addresses that are none', to(block('all'), port(5432)), OURS, ['egress']],
    ['addresses, where ours are pods', to(block('10.0.0.1/32'), port(53)), OURS, ['egress']],
    ['what is public', to(block('8.8.8.0/24'), port(443)), OPEN, []],
    ['the cloud’s metadata', to(block('169.254.169.254/32'), port(80)), OPEN, ['egress']],
    ['every address', to(block('0.0.0.0/0')), OPEN, ['egress']],
  ])('%s', (_name, theirs, ours, expected) => {
    expect(openings(ours, 'team')(theirs)).toEqual(expected)
  })

  test('something, where it says more than is compared', () => {
    const many = Array.from({ length: 30_000 }, (_, at) => port(at + 1))
    const peers = Array.from({ length: 30_000 }, () => podsIn('monitoring'))
    const theirs = { policyTypes: ['Ingress'], ingress: [{ from: peers, ports: many }] }
    expect(openings(OURS, 'team')(theirs)).toEqual(['ingress'])
  })
})

describe('many policies of others', () => {
  /** One that declares so many destinations. */
  const declaring = (count: number): JsonObject => ({
    ...OURS,
    egress: Array.from({ length: count }, (_, at) => ({
      to: [block(`10.0.${at >> 8}.${at & 255}/32`)],
      ports: [port(443)],
    })),
  })
  /** Each opens what ours does, and that last. */
  const same = (count: number, ours: JsonObject, pairs: number) => {
    const [last] = objectsAt(ours, 'egress').slice(-1)
    const egress = Array.from({ length: pairs }, () => last ?? {})
    const spec = { policyTypes: ['Egress'], egress }
    return Array.from({ length: count }, (_, at) => ({ name: `x${at}`, selector: {}, spec }))
  }
  const opened = (ours: JsonObject, count: number, pairs: number) =>
    openedFor([{ app: 'a' }], same(count, ours, pairs), { ours, namespace: 'team' }).length

  test('are compared where they say what people say', () => {
    expect(opened(declaring(60), 20, 2)).toBe(0)
  })

  test('are compared so far, and then taken to open', () => {
    const found = opened(declaring(500), 200, 100)
    expect(found).toBeGreaterThan(150)
    expect(found).toBeLessThanOrEqual(200)
  })

  test('are compared so far by whom they select, and then taken to select', () => {
    const values = Array.from({ length: 3000 }, (_, at) => `v${at}`)
    const selector = { matchExpressions: [{ key: 'app', operator: 'In', values }] }
    const spec = { policyTypes: ['Egress'], egress: [{}] }
    const policies = Array.from({ length: 30 }, (_, at) => ({ name: `x${at}`, selector, spec }))
    const pods = Array.from({ length: 500 }, (_, at) => ({ app: `p${at}` }))
    const around = { ours: OURS, namespace: 'team' }
    expect(openedFor(pods, policies, around)).toHaveLength(30)
    expect(openedFor(pods.slice(0, 1), policies.slice(0, 5), around)).toEqual([])
  })
})

describe('a selector', () => {
  const labels = { app: 'a', tier: 'front' }
  const expression = (key: string, operator: string, ...values: readonly string[]): JsonObject => ({
    matchExpressions: [{ key, operator, values: [...values] }],
  })
  test.each<[string, JsonObject, boolean]>([
    ['nothing', {}, true],
    ['a label', { matchLabels: { app: 'a' } }, true],
    ['another value', { matchLabels: { app: 'b' } }, false],
    ['a label that every object has', { matchLabels: { constructor: 'a' } }, false],
    ['In', expression('app', 'In', 'b', 'a'), true],
    ['In others', expression('app', 'In', 'b'), false],
    ['In, without it', expression('no', 'In', 'a'), false],
    ['NotIn', expression('app', 'NotIn', 'a'), false],
    ['NotIn, without it', expression('no', 'NotIn', 'a'), true],
    ['Exists', expression('app', 'Exists'), true],
    ['Exists, without it', expression('toString', 'Exists'), false],
    ['DoesNotExist', expression('app', 'DoesNotExist'), false],
    ['what nobody knows', expression('app', 'Near', 'x'), true],
    ['both', { matchLabels: { app: 'a' }, ...expression('tier', 'In', 'back') }, false],
  ])('of %s', (_name, selector, isSelected) => {
    expect(selects(selector, labels)).toBe(isSelected)
  })
})
