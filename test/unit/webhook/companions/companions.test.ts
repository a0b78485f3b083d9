import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { objectAt, objectsAt, type JsonObject } from '../../../../shared/json.ts'
import {
  defaultPolicy,
  MAX_WAYS,
  type Companions,
} from '../../../../webhook/companions/companions.ts'
import type { Member } from '../../../../webhook/companions/member.ts'
import type { Surroundings } from '../../../../webhook/companions/reach.ts'
import {
  companionCases,
  companionsIn,
  readCompanionCase,
  ROOT,
} from '../../../support/companion-cases.ts'

const policyIn = ({ objects }: Companions): JsonObject => objectAt(objects[0], 'spec')

describe('companions, by golden files', () => {
  test.each(companionCases())('%s', (name) => {
    const found = companionsIn(readCompanionCase(name))
    const file = `${ROOT}${name}/expected.json`
    if (process.env['UPDATE_GOLDEN'] === '1')
      writeFileSync(file, `${JSON.stringify(found, null, 2)}\n`)
    const expected: unknown = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
    expect(found).toStrictEqual(expected)
  })
})

describe('the companions of several pods', () => {
  const whole = readCompanionCase('enforced')
  const [member] = whole.members
  if (!member?.needs) throw new Error('the case has no pod')
  const own = member.needs
  const withMembers = (...members: readonly Member[]) => companionsIn({ ...whole, members })

  test('are the same whatever their order, and however many pods there are', () => {
    const other = { ...member, needs: { ...own, egress: ['other.example.com:8443'] } }
    const once = withMembers(member, other)
    expect(withMembers(other, member, other, member)).toEqual(once)
    expect(once).not.toEqual(withMembers(member))
  })

  test('of one template are looked up once for all of them', () => {
    const egress = Array.from({ length: 256 }, (_, at) => `s${at}.shop.svc:80`)
    const many = { ...member, needs: { ...own, egress, own: ['keys.shop.svc:443'] } }
    let timesAsked = 0
    const service: Surroundings['service'] = () => {
      timesAsked += 1
      return undefined
    }
    const members = Array.from({ length: 1000 }, () => many)
    companionsIn({ ...whole, members, around: { ...whole.around, service } })
    expect(timesAsked).toBeGreaterThanOrEqual(257)
    expect(timesAsked).toBeLessThan(300)
  })

  test('while one is only observed, the policy lets all of them out, but not to what is near', () => {
    const found = policyIn(withMembers(member, { ...member, needs: { ...own, isEnforced: false } }))
    const free = objectsAt(found, 'egress').filter((rule) => !Object.hasOwn(rule, 'ports'))
    expect(free).toHaveLength(1)
    expect(objectsAt(free[0], 'to')[0]).toMatchObject({
      ipBlock: { cidr: '0.0.0.0/0', except: expect.arrayContaining(['169.254.0.0/16']) },
    })
  })

  test('open the port of calls that are handed on to their own pods alone, where one of them has it', () => {
    const handing = (found: Companions, side: 'ingress' | 'egress') =>
      objectsAt(policyIn(found), side).filter((rule) => JSON.stringify(rule).includes('15204'))
    const peers = [{ podSelector: policyIn(withMembers(member))['podSelector'] }]
    const ports = [{ protocol: 'TCP', port: 15_204 }]
    const alone = { ...member, needs: { ...own, hasReplicas: false } }
    for (const found of [withMembers(member), withMembers(alone, member)]) {
      expect(handing(found, 'ingress')).toEqual([{ from: peers, ports }])
      expect(handing(found, 'egress')).toEqual([{ to: peers, ports }])
      expect(found.hasReplicas).toBe(true)
    }
    const found = withMembers(alone)
    expect([handing(found, 'ingress'), handing(found, 'egress')]).toEqual([[], []])
    expect(found.hasReplicas).toBe(false)
  })

  test('one that cannot be read adds no destination, and is told', () => {
    const found = withMembers({ ...member, needs: undefined })
    expect(objectsAt(policyIn(found), 'egress')).toHaveLength(1)
    expect(found.remarks.map(({ reason }) => reason)).toEqual(['SidecarUnreadable'])
    expect(objectsAt(policyIn(found), 'ingress')[0]).toMatchObject({ ports: [{ port: 15_200 }] })
  })

  test('say what ails those that stay, each thing once and before the rest', () => {
    const ailing = (message: string) => ({
      ...member,
      needs: undefined,
      ailments: [{ reason: 'WriteDenied' as const, message }],
    })
    const going = { ...ailing('gone'), isEnding: true }
    const { remarks } = withMembers(ailing('a: x'), ailing('b: x'), ailing('a: other'), going)
    expect(remarks.map(({ message }) => message).slice(0, 2)).toEqual(['a: other', 'b: x'])
    expect(remarks.map(({ reason }) => reason)).toEqual([
      'WriteDenied',
      'WriteDenied',
      'SidecarUnreadable',
    ])
    const many = Array.from({ length: 100 }, (_, at) => ailing(`${at}`))
    expect(withMembers(...many).remarks).toHaveLength(6)
  })

  test.each<[string, Partial<Member>, readonly string[]]>([
    ['with none, whatever their labels say', { sidecar: undefined }, ['SidecarMissing']],
    ['with another than the configuration names', { sidecar: 'x:1' }, ['SidecarOther']],
    ['with another, and are told to end', { sidecar: 'x:1', isEnding: true }, []],
  ])('whose sidecars are to be made anew are told: %s', (_name, more, reasons) => {
    const found = withMembers(member, { ...member, ...more })
    const remarks = found.remarks.filter(({ reason }) => reason.startsWith('Sidecar'))
    expect(remarks.map(({ reason }) => reason)).toEqual(reasons)
    for (const { message } of remarks) {
      expect(message).toContain(`kubectl rollout restart -n ${whole.namespace.name} `)
    }
  })

  test('read what their namespace says once, however each of them says whom it lets in', () => {
    let timesRead = 0
    const annotations = new Proxy<Record<string, string>>(
      { 'outrigger.dev/ingress-form': 'team' },
      {
        ownKeys: (target) => {
          timesRead += 1
          return Reflect.ownKeys(target)
        },
      },
    )
    const namespace = { ...whole.namespace, annotations }
    const members = Array.from({ length: 50 }, (_, at) => ({
      ...member,
      ingressFrom: { own: `n${at}` },
    }))
    const [rule] = objectsAt(policyIn(companionsIn({ ...whole, namespace, members })), 'ingress')
    expect(objectsAt(rule, 'from')).toHaveLength(50)
    expect(timesRead).toBeLessThan(3)
  })

  test('that let in whom they like in more ways than templates come in let in no more', () => {
    const ways = Array.from({ length: MAX_WAYS + 1 }, (_, at) => ({
      ...member,
      ingressFrom: { own: `n${at}` },
    }))
    const peersOf = (members: readonly Member[]) => {
      const found = withMembers(...members)
      const [rule] = objectsAt(policyIn(found), 'ingress')
      return [
        objectsAt(rule, 'from').length,
        found.remarks.map(({ reason }) => reason).includes('IngressUnreadable'),
      ]
    }
    expect(peersOf(ways.slice(1))).toEqual([MAX_WAYS, false])
    expect(peersOf(ways)).toEqual([MAX_WAYS, true])
    expect(withMembers(...ways.toReversed())).toEqual(withMembers(...ways))
  })

  test('while one names nobody, everybody is let in, and that is told', () => {
    const found = withMembers(member, { ...member, ingressFrom: {} })
    expect(objectsAt(policyIn(found), 'ingress')[0]).not.toHaveProperty('from')
    expect(found.remarks.map(({ reason }) => reason)).toContain('IngressOpen')
  })
})

describe('ingress-from', () => {
  const whole = readCompanionCase('callers')
  const [member] = whole.members
  if (!member) throw new Error('the case has no pod')
  const ingress = (said: string | undefined, above: string | undefined) => {
    const annotations = (text: string | undefined): Record<string, string> =>
      text === undefined ? {} : { 'outrigger.dev/ingress-from': text }
    const namespace = { ...whole.namespace, annotations: annotations(above) }
    const ingressFrom = said === undefined ? {} : { own: said }
    const found = companionsIn({
      ...whole,
      namespace,
      members: [{ ...member, ingressFrom }],
    })
    const rules = objectsAt(policyIn(found), 'ingress').filter((rule) =>
      objectsAt(rule, 'ports').some(({ port }) => port === 15_200),
    )
    return {
      rules: rules.map(({ from }) => from),
      reasons: found.remarks.map(({ reason }) => reason),
    }
  }
  const named = (name: string): JsonObject => ({
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
  })

  type Row = [string, string | undefined, string | undefined, object]
  test.each<Row>([
    [
      'nobody says anything',
      undefined,
      undefined,
      { rules: [undefined], reasons: ['IngressOpen'] },
    ],
    ['the namespace alone', undefined, 'a', { rules: [[named('a')]], reasons: [] }],
    ['the pod alone', 'a', undefined, { rules: [[named('a')]], reasons: [] }],
    ['the pod less', 'a', 'a,b', { rules: [[named('a')]], reasons: [] }],
    [
      'the pod more, as the namespace was tightened later',
      'a,b',
      'a',
      { rules: [[named('a')]], reasons: [] },
    ],
    ['everybody, in so many words', '*', undefined, { rules: [undefined], reasons: [] }],
    ['the pod in no words', 'a b', undefined, { rules: [], reasons: ['IngressUnreadable'] }],
    ['the namespace in no words', 'a', '!', { rules: [], reasons: ['IngressUnreadable'] }],
  ])('%s', (_name, said, above, expected) => {
    expect(ingress(said, above)).toEqual(expected)
  })
})

test('the policy of a namespace lets nobody in, and nothing out but names', () => {
  const { config } = readCompanionCase('open')
  if (!config.companions) throw new Error('no companions')
  expect(defaultPolicy('team', config.companions)).toMatchObject({
    metadata: { name: 'outrigger-default', namespace: 'team' },
    spec: {
      podSelector: { matchLabels: { 'outrigger.dev/injected': 'true' } },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [],
      egress: [{ ports: expect.arrayContaining([{ protocol: 'UDP', port: 53 }]) }],
    },
  })
})
