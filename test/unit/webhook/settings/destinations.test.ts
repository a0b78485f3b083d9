import { describe, expect, test } from '@jest/globals'
import type { Key } from '../../../../shared/annotations.ts'
import { parseClusterConfig } from '../../../../webhook/cluster/config.ts'
import { egressViolations, type Egress } from '../../../../webhook/settings/destinations.ts'
import type { Placed } from '../../../../webhook/settings/placed.ts'

const saying = (text: string): ReadonlyMap<Key, Placed> =>
  new Map([['egress', { text, where: 'pod', isDefault: false }]])
const told = (text: string, egress: Egress): readonly string[] =>
  egressViolations(saying(text), 'team-a', egress).map(({ message }) => message)

const WIDE: Egress = { '*': ['0.0.0.0/0:80', '[::/0]:80', '*.internal:80', 'metadata:80'] }

describe('what is near', () => {
  test.each([
    '169.254.169.254:80',
    '169.254.0.0/16:80',
    '169.254.170.2/31:80',
    '168.0.0.0/7:80',
    '0.0.0.0/0:80',
    '100.100.100.200:80',
    '168.63.129.16:80',
    '[fe80::1]:80',
    '[fd00:ec2::254]:80',
    '[::ffff:169.254.169.254]:80',
    '[::ffff:a9fe:a9fe]:80',
    '[64:ff9b::a9fe:a9fe]:80',
    '[2002:a9fe:a9fe::1]:80',
    '[fe00::/8]:80',
    'metadata.google.internal:80',
  ])('%s is listed by no wider entry', (item) => {
    expect(told(item, WIDE)).toEqual([expect.stringContaining('link-local or where a cloud')])
  })

  test.each([
    ['an entry of its own', '169.254.169.254:80', '169.254.169.254:80'],
    ['one of its range', '169.254.169.254:80', '169.254.0.0/16:80'],
    ['its name', 'metadata.google.internal:80', 'metadata.google.internal:80'],
  ])('%s lists it', (_name, item, listed) => {
    expect(told(item, { 'team-a': [listed] })).toEqual([])
  })

  test.each(['8.8.8.8:80', '169.255.0.1:80', '[2001:db8::1]:80', 'api.internal:80'])(
    '%s is not',
    (item) => {
      expect(told(item, WIDE)).toEqual([])
    },
  )
})

test.each([
  ['10.1.2.3/8:443', '"10.1.2.3/8:443" has bits behind its prefix: use `10.0.0.0/8:443`'],
  ['api.example.com', '"api.example.com" names no port'],
  ['80=a.example:80', 'no forward: that is listed by what it leads to'],
])('the floor lists no %s, and says why', (item, words) => {
  const config = parseClusterConfig({ sidecar: { image: 'a' }, floor: { egress: { '*': [item] } } })
  expect(config).toEqual({ ok: false, error: [expect.stringContaining(words)] })
})

describe('what is listed', () => {
  test('holds for its namespace, or for every one', () => {
    const egress = { 'team-b': ['b.example:443'], '*': ['a.example:443'] }
    expect(told('a.example:443', egress)).toEqual([])
    expect(told('b.example:443, c.example:443', egress)).toEqual([
      'pod: outrigger.dev/egress: `b.example:443`, `c.example:443` are not listed in the cluster configuration for namespace team-a; it lists `a.example:443`. Choose of these, or ask the platform team for floor.egress',
    ])
  })

  test.each([
    ['by itself', 'packages:80', 'packages:80', true],
    ['with its namespace', 'packages:80', 'packages.team-a.svc:80', true],
    ['of all in its namespace', 'packages:80', '*.team-a.svc:80', true],
    ['without, where the item has it', 'packages.team-a.svc:80', 'packages:80', true],
    ['as a forward', '8080=packages:80', 'packages:80', true],
    ['elsewhere', 'packages:80', 'packages.team-b.svc:80', false],
    ['of all in another', 'packages:80', '*.team-b.svc:80', false],
    ['as any name', 'packages:80', '*:80', false],
    ['as a domain', 'com:80', '*.com:80', false],
  ])('a Service of the own namespace, listed %s', (_name, item, listed, isListed) => {
    expect(told(item, { '*': [listed] })).toHaveLength(isListed ? 0 : 1)
  })

  test.each([
    ['by itself', 'kubernetes.default.svc:443', true],
    ['with all Services', '*.svc:443', false],
    ['with all of its namespace', '*.default.svc:443', false],
    ['with all of the cluster', '*.cluster.local:443', false],
    ['with any name', '*:443', false],
  ])('the API server, listed %s', (_name, listed, isListed) => {
    for (const item of ['kubernetes.default.svc:443', '8443=kubernetes.default.svc:443']) {
      expect(told(item, { '*': [listed] })).toHaveLength(isListed ? 0 : 1)
    }
    expect(told('kubernetes.default.svc.cluster.local:443', { '*': [listed] })).toHaveLength(1)
  })

  test('with all Services, is not the API server, whose entry is its own', () => {
    expect(told('*.svc:443', { '*': ['*.svc:443'] })).toEqual([])
    expect(told('db.default.svc:443', { '*': ['*.svc:443'] })).toEqual([])
  })

  test('is nothing, where nobody has listed any', () => {
    expect(told('a.example:443', {})).toEqual([
      expect.stringContaining(
        'is not listed in the cluster configuration for namespace team-a; it lists none: ask the platform team to declare there what this namespace may reach, `floor: { egress: { team-a: ["a.example:443"] } }`',
      ),
    ])
    expect(told('5432=a.example:5432', {})).toEqual([
      expect.stringContaining('{ team-a: ["a.example:5432"] }'),
    ])
    expect(told('a.example:443, 5432=b.example:5432, 5433=b.example:5432', {})).toEqual([
      expect.stringContaining('{ team-a: ["a.example:443", "b.example:5432"] }'),
    ])
    expect(told('a.example:443', {})[0]).not.toContain('Choose of these')
    expect(told('a.example:443', { constructor: [] })).toHaveLength(1)
  })
})
