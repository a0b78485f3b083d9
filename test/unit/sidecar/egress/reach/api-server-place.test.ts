// Where names that are declared may not lead: what the environment says of the API server, and what its names lead to.

import { expect, test } from '@jest/globals'
import type { Cluster } from '../../../../../shared/host-name.ts'
import { ApiServerPlace } from '../../../../../sidecar/egress/reach/api-server-place.ts'
import { absoluteDestinations } from '../../../../../sidecar/egress/reach/judge.ts'
import { NameFault } from '../../../../../sidecar/egress/reach/resolver.ts'
import { destinations } from '../../../../support/egress.ts'

const CLUSTER: Cluster = { domain: 'cluster.local', namespace: 'own' }
const NAME = 'kubernetes.default.svc.cluster.local'
const SERVICES = '*.team.svc:443'
const TOLD = '10.96.0.1'

/** What a name service has, or the code of what becomes of a question. */
type Zone = Readonly<Record<string, readonly string[] | string>>

interface Case {
  readonly host?: string
  readonly cluster?: Cluster
  readonly zone?: Zone
  readonly rule: string
  readonly closed: readonly string[] | 'unknown'
  readonly looked: readonly string[]
}

const CASES: readonly (readonly [what: string, one: Case])[] = [
  [
    'what the environment and the name say',
    {
      host: TOLD,
      zone: { [NAME]: ['10.96.0.1', 'fd00::1'] },
      rule: SERVICES,
      closed: ['10.96.0.1', 'fd00::1'],
      looked: [NAME],
    },
  ],
  [
    'where they say different things: both',
    {
      host: TOLD,
      zone: { [NAME]: ['10.97.0.1'] },
      rule: SERVICES,
      closed: ['10.96.0.1', '10.97.0.1'],
      looked: [NAME],
    },
  ],
  [
    'where there is no such name: what the environment says',
    { host: TOLD, rule: SERVICES, closed: [TOLD], looked: [NAME] },
  ],
  [
    'where that says nothing: where the name leads',
    { zone: { [NAME]: [TOLD] }, rule: SERVICES, closed: [TOLD], looked: [NAME] },
  ],
  ['where neither says anything', { rule: SERVICES, closed: 'unknown', looked: [NAME] }],
  [
    'where the name service does not answer',
    { host: TOLD, zone: { [NAME]: 'ETIMEOUT' }, rule: SERVICES, closed: 'unknown', looked: [NAME] },
  ],
  [
    'where it refuses to',
    {
      host: TOLD,
      zone: { [NAME]: 'ESERVFAIL' },
      rule: SERVICES,
      closed: 'unknown',
      looked: [NAME],
    },
  ],
  [
    'of one Service by its name',
    { host: TOLD, rule: 'db.team.svc:443', closed: [TOLD], looked: [NAME] },
  ],
  [
    'of one of the own namespace',
    { host: TOLD, rule: '5432=db:5432', closed: [TOLD], looked: [NAME] },
  ],
  [
    'of the API server itself: nothing',
    { host: TOLD, rule: 'kubernetes.default.svc:443', closed: [], looked: [] },
  ],
  ['of its whole name: nothing', { host: TOLD, rule: `${NAME}:443`, closed: [], looked: [] }],
  [
    'of a name that only begins so',
    { host: TOLD, rule: 'kubernetes.default.svc.evil.example:443', closed: [TOLD], looked: [] },
  ],
  [
    'of the internet nothing is looked up',
    {
      host: TOLD,
      zone: { [NAME]: 'ETIMEOUT' },
      rule: '*.example.com:443',
      closed: [TOLD],
      looked: [],
    },
  ],
  ['of any name neither', { host: TOLD, rule: '*:443', closed: [TOLD], looked: [] }],
  ['of a range neither', { host: TOLD, rule: '10.0.0.0/8:443', closed: [TOLD], looked: [] }],
  [
    'a host that is a name is looked up as well',
    {
      host: 'api.k8s.example',
      zone: { [NAME]: [TOLD], 'api.k8s.example': ['45.11.0.1'] },
      rule: SERVICES,
      closed: [TOLD, '45.11.0.1'],
      looked: [NAME, 'api.k8s.example'],
    },
  ],
  [
    'who declares that name means it',
    { host: 'api.k8s.example', rule: 'api.k8s.example:443', closed: [], looked: [] },
  ],
  [
    'a host of IPv6, in any spelling',
    { host: 'FD00:0:0::0001', rule: '*:443', closed: ['fd00::1'], looked: [] },
  ],
  ['one that is mapped', { host: '::ffff:10.96.0.1', rule: '*:443', closed: [TOLD], looked: [] }],
  ['one that is nothing', { host: 'not a host', rule: '*:443', closed: [], looked: [] }],
  [
    'a domain that somebody has put into resolv.conf',
    {
      host: TOLD,
      cluster: { domain: 'evil.example', namespace: 'own' },
      rule: SERVICES,
      closed: [TOLD],
      looked: ['kubernetes.default.svc.evil.example'],
    },
  ],
]

test.each(CASES)('%s', async (_what, { host, cluster = CLUSTER, zone = {}, ...wanted }) => {
  const looked: string[] = []
  const keys = new Set<string>()
  const place = new ApiServerPlace(host, cluster, async (name, { key }) => {
    looked.push(name)
    keys.add(key)
    const found = Object.hasOwn(zone, name) ? zone[name] : 'ENOTFOUND'
    if (typeof found === 'object') return found
    throw new NameFault(found ?? '')
  })
  const [rule] = absoluteDestinations(destinations(wanted.rule), cluster)
  const waiting = { destroyed: false, once: () => undefined, off: () => undefined }
  const closed = await place.closedTo(rule, { ms: 1, waiting, key: 'client' })
  expect({ closed: closed ? [...closed] : 'unknown', looked }).toEqual({
    closed: wanted.closed,
    looked: wanted.looked,
  })
  // It does not wait in the line of whoever asks.
  expect(keys).toEqual(new Set(looked.length > 0 ? ['api-server'] : []))
})

test('outside a cluster there is what the environment says, and nothing to look up', async () => {
  const place = new ApiServerPlace(TOLD, undefined, () => Promise.reject(new Error('looked up')))
  const [rule] = absoluteDestinations(destinations('db.team.svc:443'), undefined)
  const waiting = { destroyed: false, once: () => undefined, off: () => undefined }
  const closed = await place.closedTo(rule, { ms: 1, waiting, key: 'client' })
  expect([...(closed ?? [])]).toEqual([TOLD])
})
