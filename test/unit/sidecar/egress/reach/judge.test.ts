// What may be reached: by name and address before and after a name is looked up, in both modes.

import { describe, expect, test } from '@jest/globals'
import { addressOf, kindOf, textOf } from '../../../../../shared/address.ts'
import {
  absoluteDestinations,
  judgeAddresses,
  judgeTarget,
  type Mode,
  type Rules,
} from '../../../../../sidecar/egress/reach/judge.ts'
import type { Closed } from '../../../../../sidecar/egress/reach/api-server-place.ts'
import { hostOf } from '../../../../../sidecar/egress/proxy/request-target.ts'
import { clusterOf } from '../../../../../sidecar/egress/reach/resolv-conf.ts'
import { destinations } from '../../../../support/egress.ts'

const CLUSTER = { domain: 'cluster.local', namespace: 'own' }
const EGRESS =
  'api.example.com:443,*.wild.example:443,db.team.svc:5432,*.team.svc:80,corp.example:443,10.20.0.0/16:443,127.0.0.1:9000,169.254.170.2:80,0.0.0.0/0:8443,*:8080,10.1.0.0/16:80,packages:81,*.own.svc:82,*.com:83,*.svc:84,*.default.svc:84,*.svc:85,kubernetes.default.svc:85'

const API_SERVER = '10.96.0.2'
/** Some clouds give Services public ones. */
const PUBLIC_SERVICE = '34.118.224.1'
/** In a range that is declared. */
const IN_RANGE = '10.20.0.1'
const CLOSED = new Set([API_SERVER, PUBLIC_SERVICE, IN_RANGE])

const rules = (mode: Mode = 'enforce'): Rules => ({
  mode,
  destinations: absoluteDestinations(destinations(EGRESS), CLUSTER),
  cluster: CLUSTER,
  isOwn: (address, port) =>
    textOf(address) === '10.1.1.1' || (kindOf(address) === 'loopback' && port === 15_201),
})

interface Circumstances {
  readonly mode?: Mode
  readonly closed?: Closed | undefined
}

/** `allowed by RULE`, or `denied by WHY`; with the addresses that are dialled. */
const judged = (
  text: string,
  port: number,
  found: readonly string[] = [],
  { mode, closed }: Circumstances = { closed: CLOSED },
): string => {
  const host = hostOf(text, CLUSTER)
  if (!host) return 'malformed'
  const first = judgeTarget(rules(mode), { host, port })
  const isLookedUp = host.kind === 'name' && first.verdict !== 'denied' && found.length > 0
  const { ruling, addresses } = isLookedUp
    ? judgeAddresses(
        rules(mode),
        { name: host.name, port, closed },
        first,
        found.flatMap((one) => addressOf(one) ?? []),
      )
    : { ruling: first, addresses: [] }
  if (ruling.verdict === 'denied') return `denied: ${ruling.refusal.why}`
  const dialled = addresses.map(textOf).join(' ')
  const why = ruling.verdict === 'observed' ? ruling.refusal.why : ruling.rule.text
  return `${ruling.verdict}: ${[why, dialled].join(' ').trim()}`
}

const PUBLIC = ['93.184.216.34']

test.each<[string, string]>([
  ['api.example.com', 'api.example.com:80'],
  ['packages', 'packages.own.svc:80'],
  ['cache.other.svc', 'cache.other.svc:80'],
  ['cache.other.svc.cluster.local', 'cache.other.svc:80'],
  ['cache.other.svc.example.com', 'cache.other.svc.example.com:80'],
  ['10.96.0.9', '10.96.0.9:80'],
])('what to add is told as floors list it: %s', (text, told) => {
  const host = hostOf(text, CLUSTER)
  if (!host) throw new Error(text)
  const ruling = judgeTarget({ ...rules(), destinations: [] }, { host, port: 80 })
  expect(ruling).toMatchObject({
    verdict: 'denied',
    refusal: { words: `${told} is not declared: add it to outrigger.dev/egress` },
  })
})

describe('enforced', () => {
  test.each<[string, string, number, readonly string[], string]>([
    ['a name', 'api.example.com', 443, PUBLIC, 'allowed: api.example.com:443 93.184.216.34'],
    ['another port', 'api.example.com', 80, [], 'denied: undeclared'],
    [
      'below a pattern',
      'a.b.wild.example',
      443,
      PUBLIC,
      'allowed: *.wild.example:443 93.184.216.34',
    ],
    ['the pattern itself', 'wild.example', 443, [], 'denied: undeclared'],
    ['any name at a port', 'x.example', 8080, PUBLIC, 'allowed: *:8080 93.184.216.34'],
    [
      'a name that leads to a private address',
      'api.example.com',
      443,
      ['10.0.0.1'],
      'denied: address',
    ],
    ['to this machine', 'api.example.com', 443, ['127.0.0.1'], 'denied: address'],
    ['to metadata', 'api.example.com', 443, ['169.254.169.254'], 'denied: forbidden-address'],
    [
      'to metadata, mapped',
      'api.example.com',
      443,
      ['::ffff:a9fe:a9fe'],
      'denied: forbidden-address',
    ],
    [
      'to metadata, NAT64',
      'api.example.com',
      443,
      ['64:ff9b::a9fe:a9fe'],
      'denied: forbidden-address',
    ],
    ['to the pod', 'api.example.com', 443, ['10.1.1.1'], 'denied: forbidden-address'],
    ['to nothing', 'api.example.com', 443, ['0.0.0.0'], 'denied: forbidden-address'],
    [
      'to several: what may be dialled alone is',
      'api.example.com',
      443,
      ['169.254.169.254', '10.0.0.1', ...PUBLIC],
      'allowed: api.example.com:443 93.184.216.34',
    ],
    [
      'with its range declared',
      'corp.example',
      443,
      ['10.20.3.4'],
      'allowed: corp.example:443 10.20.3.4',
    ],
    ['beside its range', 'corp.example', 443, ['10.21.3.4'], 'denied: address'],
    ['a Service', 'db.team.svc', 5432, ['10.96.0.1'], 'allowed: db.team.svc:5432 10.96.0.1'],
    [
      'a Service in full',
      'db.team.svc.cluster.local',
      5432,
      ['10.96.0.1'],
      'allowed: db.team.svc:5432 10.96.0.1',
    ],
    [
      'a Service below a pattern',
      'web.team.svc',
      80,
      ['10.96.0.1'],
      'allowed: *.team.svc:80 10.96.0.1',
    ],
    [
      'a Service that leads to metadata',
      'db.team.svc',
      5432,
      ['169.254.169.254'],
      'denied: forbidden-address',
    ],
    ['a Service that leads to this machine', 'db.team.svc', 5432, ['127.0.0.1'], 'denied: address'],
    ['a Service of another namespace', 'db.other.svc', 5432, [], 'denied: undeclared'],
    ['a Service by any name', 'db.other.svc', 8080, ['10.96.0.1'], 'denied: address'],
    [
      'a Service of the own namespace',
      'packages',
      81,
      ['10.96.0.1'],
      'allowed: packages:81 10.96.0.1',
    ],
    [
      'the same with its namespace',
      'packages.own.svc',
      81,
      ['10.96.0.1'],
      'allowed: packages:81 10.96.0.1',
    ],
    ['one of that name elsewhere', 'packages.other.svc', 81, [], 'denied: undeclared'],
    [
      'one of the own namespace below a pattern',
      'db',
      82,
      ['10.96.0.1'],
      'allowed: *.own.svc:82 10.96.0.1',
    ],
    ['one that nothing declares', 'db', 81, [], 'denied: undeclared'],
    ['one by any name', 'db', 8080, ['10.96.0.1'], 'denied: address'],
    ['one that is called as a domain is', 'com', 83, [], 'denied: undeclared'],
    ['a name below that domain', 'x.com', 83, PUBLIC, 'allowed: *.com:83 93.184.216.34'],
    ['all Services', 'db.other.svc', 84, ['10.96.0.1'], 'allowed: *.svc:84 10.96.0.1'],
    ['the API server below a pattern', 'kubernetes.default.svc', 84, [], 'denied: undeclared'],
    [
      'the API server by its whole name',
      'kubernetes.default.svc.cluster.local',
      84,
      [],
      'denied: undeclared',
    ],
    [
      'the API server, declared by itself',
      'kubernetes.default.svc',
      85,
      ['10.96.0.1'],
      'allowed: kubernetes.default.svc:85 10.96.0.1',
    ],
    [
      'another Service of its namespace',
      'kubernetes-dashboard.default.svc',
      84,
      ['10.96.0.1'],
      'allowed: *.default.svc:84 10.96.0.1',
    ],
    ['an alias of the API server', 'db.team.svc', 5432, [API_SERVER], 'denied: address'],
    ['one below a pattern', 'x.team.svc', 80, [API_SERVER], 'denied: address'],
    ['one in its own namespace', 'x.default.svc', 84, [API_SERVER], 'denied: address'],
    ['one of the own namespace', 'packages', 81, [API_SERVER], 'denied: address'],
    ['one at a public address', 'x.team.svc', 80, [PUBLIC_SERVICE], 'denied: address'],
    ['one of the internet', 'api.example.com', 443, [PUBLIC_SERVICE], 'denied: address'],
    ['one by any name', 'x.example', 8080, [PUBLIC_SERVICE], 'denied: address'],
    [
      'one that leads elsewhere, too',
      'x.team.svc',
      80,
      [API_SERVER, '10.96.0.9'],
      'allowed: *.team.svc:80 10.96.0.9',
    ],
    [
      'one whose address a range declares',
      'corp.example',
      443,
      [IN_RANGE],
      'allowed: corp.example:443 10.20.0.1',
    ],
    ['that address', IN_RANGE, 443, [], 'allowed: 10.20.0.0/16:443'],
    ['a name that ends like one', 'db.team.svc.evil.example', 5432, [], 'denied: undeclared'],
    ['an address', '8.8.8.8', 8443, [], 'allowed: 0.0.0.0/0:8443'],
    ['a private address in a range of all', '10.0.0.1', 8443, [], 'denied: undeclared'],
    ['an address where any name is declared', '8.8.8.8', 8080, [], 'denied: undeclared'],
    ['an address where its name is declared', '93.184.216.34', 443, [], 'denied: undeclared'],
    ['this machine', '127.0.0.1', 9000, [], 'allowed: 127.0.0.1:9000'],
    ['this machine, mapped', '[::ffff:127.0.0.1]', 9000, [], 'allowed: 127.0.0.1:9000'],
    ['this machine, by its name', 'localhost', 9000, [], 'allowed: 127.0.0.1:9000'],
    ["the sidecar's own port by that name", 'LOCALHOST.', 15_201, [], 'denied: forbidden-address'],
    ['this machine at another port', '127.0.0.1', 80, [], 'denied: undeclared'],
    ["the sidecar's own port", '127.0.0.1', 15_201, [], 'denied: forbidden-address'],
    ['the link, by itself', '169.254.170.2', 80, [], 'allowed: 169.254.170.2:80'],
    ['metadata', '169.254.169.254', 80, [], 'denied: forbidden-address'],
    ['metadata in a range of all', '169.254.169.254', 8443, [], 'denied: forbidden-address'],
    ['the pod, declared', '10.1.1.1', 80, [], 'denied: forbidden-address'],
    ['its neighbour', '10.1.1.2', 80, [], 'allowed: 10.1.0.0/16:80'],
    ['nothing', '0.0.0.0', 8443, [], 'denied: forbidden-address'],
    ['multicast', '224.0.0.1', 8443, [], 'denied: forbidden-address'],
  ])('%s: %s', (...[, host, port, found, expected]) => {
    expect(judged(host, port, found)).toBe(expected)
  })
})

describe('observed', () => {
  test.each<[string, string, number, readonly string[], string]>([
    [
      'what is allowed',
      'api.example.com',
      443,
      PUBLIC,
      'allowed: api.example.com:443 93.184.216.34',
    ],
    [
      'a name that nothing declares',
      'x.example',
      443,
      PUBLIC,
      'observed: undeclared 93.184.216.34',
    ],
    [
      'the same at a private address',
      'x.example',
      443,
      ['10.0.0.1'],
      'observed: undeclared 10.0.0.1',
    ],
    ['a declared one there', 'api.example.com', 443, ['10.0.0.1'], 'observed: address 10.0.0.1'],
    ['an address', '8.8.8.8', 443, [], 'observed: undeclared'],
    ['metadata all the same', '169.254.169.254', 80, [], 'denied: forbidden-address'],
    ['a name that leads there', 'x.example', 443, ['169.254.169.254'], 'denied: forbidden-address'],
    ['the pod', '10.1.1.1', 443, [], 'observed: forbidden-address'],
    ['the pod, declared', '10.1.1.1', 80, [], 'observed: forbidden-address'],
    [
      'a name that leads to the pod',
      'x.example',
      443,
      ['10.1.1.1'],
      'observed: undeclared 10.1.1.1',
    ],
    [
      'a declared one that leads to the pod',
      'api.example.com',
      443,
      ['10.1.1.1'],
      'observed: forbidden-address 10.1.1.1',
    ],
    [
      'a declared one that leads elsewhere, too',
      'api.example.com',
      443,
      ['10.1.1.1', ...PUBLIC],
      'allowed: api.example.com:443 93.184.216.34',
    ],
    ["the sidecar's own port all the same", '127.0.0.1', 15_201, [], 'denied: forbidden-address'],
    ['an alias of the API server', 'x.team.svc', 80, [API_SERVER], 'observed: address 10.96.0.2'],
  ])('%s: %s', (...[, host, port, found, expected]) => {
    expect(judged(host, port, found, { mode: 'observe', closed: CLOSED })).toBe(expected)
  })
})

describe('where nobody says where the API server answers', () => {
  test.each<[string, string, number, readonly string[], Mode, string]>([
    ['a Service', 'db.team.svc', 5432, ['10.96.0.1'], 'enforce', 'denied: address'],
    [
      'a Service in a range',
      'web.team.svc',
      80,
      ['10.1.2.3'],
      'enforce',
      'allowed: *.team.svc:80 10.1.2.3',
    ],
    [
      'a Service, observed',
      'db.team.svc',
      5432,
      ['10.96.0.1'],
      'observe',
      'observed: address 10.96.0.1',
    ],
  ])('%s: %s', (...[, host, port, found, mode, expected]) => {
    expect(judged(host, port, found, { mode, closed: undefined })).toBe(expected)
  })
})

describe('the cluster', () => {
  test.each<[string, string, ReturnType<typeof clusterOf>]>([
    [
      "kubelet's",
      'nameserver 10.96.0.10\nsearch team.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n',
      { domain: 'cluster.local', namespace: 'team' },
    ],
    [
      'with more behind it',
      'search a.svc.k8s.example svc.k8s.example k8s.example svc.evil.example corp.example\n',
      { domain: 'k8s.example', namespace: 'a' },
    ],
    [
      'the last line that holds',
      'search svc.a.example\nsearch b.svc.b.example svc.b.example\n',
      { domain: 'b.example', namespace: 'b' },
    ],
    [
      'without a namespace',
      'search svc.a.example\n',
      { domain: 'a.example', namespace: undefined },
    ],
    [
      'with a namespace that is none',
      'search x.a.svc.a.example svc.a.example\n',
      { domain: 'a.example', namespace: undefined },
    ],
    [
      'a dot at the end',
      'search team.svc.a.example. svc.a.example.\n',
      { domain: 'a.example', namespace: 'team' },
    ],
    ['none', 'nameserver 1.1.1.1\nsearch corp.example\n', undefined],
    ['in a comment', '# search svc.a.example\n', undefined],
    ['what is no name', 'search svc.a_b\n', undefined],
    ['nothing', '', undefined],
  ])('%s', (_name, text, cluster) => {
    expect(clusterOf(text)).toEqual(cluster)
  })
})
