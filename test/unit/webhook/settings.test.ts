import { describe, expect, test } from '@jest/globals'
import { relaxations } from '../../../webhook/settings/floor.ts'
import { resolveSettings } from '../../../webhook/settings/resolve.ts'
import { misplacedLabels, readScope } from '../../../webhook/settings/scopes.ts'
import { loosening } from '../../../webhook/settings/tighten.ts'
import { clusterConfig } from '../../support/cluster-config.ts'

const { floor } = clusterConfig({ sidecar: { image: 'x' } })

type Rule = Parameters<typeof loosening>[0]

describe('loosening', () => {
  const subset: Rule = { by: 'subset', of: 'destinations' }
  const words: Rule = { by: 'subset' }
  test.each<readonly [string, Rule, string, string, boolean]>([
    ['the same word', { by: 'order', order: ['a', 'b'] }, 'a', 'a', false],
    ['a step up', { by: 'order', order: ['a', 'b'] }, 'a', 'b', false],
    ['a step down', { by: 'order', order: ['a', 'b'] }, 'b', 'a', true],
    ['fewer items', subset, 'a:1,b:2', 'b:2', false],
    ['the same items in another order', subset, 'a:1,b:2', 'b:2, a:1', false],
    ['another item', subset, 'a:1', 'a:1,c:1', true],
    ['a host under a wildcard', subset, '*.example.com:443', 'a.b.example.com:443', false],
    ['a narrower wildcard', subset, '*.example.com:443', '*.b.example.com:443', false],
    ['the wildcard’s own domain', subset, '*.example.com:443', 'example.com:443', true],
    ['a host that only ends alike', subset, '*.example.com:443', 'badexample.com:443', true],
    ['another port', subset, '*.example.com:443', 'a.example.com:80', true],
    ['a Service of any namespace by itself', subset, 'packages:80', 'packages:80', false],
    ['the same by any name', subset, '*:80', 'packages:80', true],
    ['the same as a domain', subset, '*.packages:80', 'packages:80', true],
    ['a narrower range', subset, '10.0.0.0/8:5432', '10.1.0.0/16:5432', false],
    ['an address in the range', subset, '10.0.0.0/8:5432', '10.9.9.9:5432', false],
    ['a wider range', subset, '10.1.0.0/16:5432', '10.0.0.0/8:5432', true],
    ['an address beside the range', subset, '10.0.0.0/8:5432', '11.0.0.1:5432', true],
    ['IPv6 in its range', subset, '[2001:db8::/32]:443', '[2001:db8:1::1]:443', false],
    ['the other family', subset, '0.0.0.0/0:443', '[2001:db8::1]:443', true],
    ['a range that is none', subset, '10.0.0.0/99:443', '10.0.0.1:443', true],
    ['an address with a zone', subset, '[fe80::/10]:443', '[fe80::1%eth0]:443', true],
    ['a name against a range', subset, '0.0.0.0/0:443', 'example.com:443', true],
    ['the word for none of them', { by: 'subset', none: 'none' }, 'a,b', 'none', false],
    ['some where a higher scope wants none', { by: 'subset', none: 'none' }, 'none', 'a', true],
    ['the same word where it means nothing', words, 'a,b', 'none', true],
    ['fewer words', words, 'a,b', 'b', false],
    ['a word under another’s wildcard', words, '*.example.com:443', 'a.example.com:443', true],
    ['a name, of any', subset, '*:443', 'example.com:443', false],
    ['names below one, of any', subset, '*:443', '*.example.com:443', false],
    ['any, of any', subset, '*:443', '*:443', false],
    ['any, of those below one', subset, '*.com:443', '*:443', true],
    ['an address, of any name', subset, '*:443', '192.0.2.1:443', true],
    ['a Service, of any name', subset, '*:443', 'kubernetes.default.svc:443', true],
    ['Services, of any name', subset, '*:443', '*.default.svc.cluster.local:443', true],
    ['a Service, of its domain', subset, '*.local:443', 'a.b.svc.cluster.local:443', true],
    ['a Service, of its namespace', subset, '*.b.svc:443', 'a.b.svc:443', false],
    ['a Service, by its own name', subset, 'a.b.svc:443', 'a.b.svc:443', false],
    ['another letter case', subset, 'Example.com:443', 'example.com:443', false],
    ['a forward to what is listed', subset, '*.example.com:443', '8443=a.example.com:443', false],
    ['a forward to something else', subset, 'a.example.com:443', '443=b.example.com:443', true],
    [
      'what a forward leads to, by itself',
      subset,
      '1=a.example.com:443',
      'a.example.com:443',
      false,
    ],
    ['a mapped address in its range', subset, '10.0.0.0/8:1', '[::ffff:10.1.1.1]:1', false],
    ['more items where more is tighter', { by: 'superset' }, 'a', 'a,b', false],
    ['fewer items where more is tighter', { by: 'superset' }, 'a,b', 'a', true],
    ['a fixed value that is repeated', { by: 'fixed' }, 'a', 'a', false],
    ['a fixed value that is changed', { by: 'fixed' }, 'a', 'b', true],
  ])('%s', (_name, rule, above, ...[below, isLooser]) => {
    expect(loosening(rule, above, below) !== undefined).toBe(isLooser)
  })
})

describe('resolveSettings', () => {
  const cluster = readScope('cluster', 'cluster configuration', {
    'outrigger.dev/log-level': 'warn',
  })
  const namespace = readScope('namespace', 'namespace a', { 'outrigger.dev/log-level': 'error' })
  const workload = readScope('workload', 'Deployment w', { 'outrigger.dev/request-timeout': '2s' })
  const pod = readScope('pod', 'pod', { 'outrigger.dev/request-timeout': '1s' })

  test.each([
    ['cluster over default', [cluster], 'log-level', 'warn', 'cluster configuration'],
    ['namespace over cluster', [cluster, namespace], 'log-level', 'error', 'namespace a'],
    ['workload over default', [workload], 'request-timeout', '2s', 'Deployment w'],
    ['pod over workload', [workload, pod], 'request-timeout', '1s', 'pod'],
    [
      'whatever the order given',
      [pod, workload, namespace, cluster],
      'request-timeout',
      '1s',
      'pod',
    ],
    ['the default where nobody speaks', [], 'log-level', 'info', 'default'],
  ] as const)('%s', (_name, scopes, key, ...[text, where]) => {
    expect(resolveSettings(scopes, floor).placed.get(key)).toMatchObject({ text, where })
  })

  test('a wrong text does not count, and the one below still does', () => {
    const bad = readScope('pod', 'pod', { 'outrigger.dev/log-level': 'loud' })
    const { placed, violations } = resolveSettings([namespace, bad], floor)
    expect(placed.get('log-level')?.text).toBe('error')
    expect(violations).toMatchObject([{ code: 'bad-value' }])
  })

  test('a default may be loosened where no scope has fixed it', () => {
    const asked = readScope('pod', 'pod', { 'outrigger.dev/process-model': 'principal' })
    expect(resolveSettings([asked], floor).violations).toEqual([])
  })

  test.each([
    ['minAuditLevel', { ...floor, minAuditLevel: 'response' as const }, 'audit-level', 'response'],
    ['maxSidecarMemory', { ...floor, maxSidecarMemory: '64Mi' }, 'sidecar-memory-limit', '64Mi'],
    ['most', { ...floor, most: { 'request-timeout': '30s' } }, 'request-timeout', '30s'],
    ['maxAuditSize', { ...floor, maxAuditSize: '16Mi' }, 'audit-size', '16Mi'],
  ] as const)('a default bends to floor.%s without a violation', (_name, strict, key, text) => {
    const { placed, violations } = resolveSettings([], strict)
    expect(placed.get(key)?.text).toBe(text)
    expect(violations).toEqual([])
  })
})

describe('misplacedLabels', () => {
  test('leaves our own labels and others alone', () => {
    const labels = { app: 'x', 'outrigger.dev/injected': 'true', 'outrigger.dev/server': 'pod-x' }
    expect(misplacedLabels(labels, 'pod')).toEqual([])
  })
})

test('every relaxation of the floor is named', () => {
  expect(relaxations(floor)).toEqual([])
  expect(relaxations({ ...floor, allowAnonymous: true, allowKubeApi: true })).toEqual([
    'allowAnonymous',
    'allowKubeApi',
  ])
})
