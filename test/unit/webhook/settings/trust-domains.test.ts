// Whose X.509-SVIDs a pod's sidecar believes: of the listed workloads those that its settings choose, by the listed authorities
// alone, and never without TLS.

import { describe, expect, test } from '@jest/globals'
import { readClusterConfig } from '../../../../webhook/cluster/config.ts'
import { ownSidecar } from '../../../../webhook/inject/pod.ts'
import { render } from '../../../../webhook/inject/render.ts'
import { documentOf } from '../../../../webhook/inject/stand-ins.ts'
import { anAuthority } from '../../../support/certificates.ts'

const PEM = anAuthority('example.org').cert
const AGENT = 'spiffe://example.org/ns/tools/sa/agent'
const BELOW = 'spiffe://example.org/ns/tools/*'

const domain = (more: object = {}) => ({
  name: 'example.org',
  ids: [BELOW, 'spiffe://example.org/ops'],
  bundle: PEM,
  ...more,
})

const configOf = (...trustDomains: readonly object[]) =>
  readClusterConfig(JSON.stringify({ sidecar: { image: 'x' }, floor: { trustDomains } }))

const rendered = (texts: Readonly<Record<string, string>>) => {
  const config = configOf(domain(), { name: 'b.org', ids: ['spiffe://b.org/*'], bundle: PEM })
  if (!config.ok) throw new Error(config.error.join('\n'))
  const all = Object.entries({ inject: 'true', ...texts })
  const annotations = Object.fromEntries(all.map(([key, text]) => [`outrigger.dev/${key}`, text]))
  const spec = { containers: [{ name: 'c', image: 'i', command: ['x'] }] }
  const around = { name: 'team-a', labels: {}, annotations: {} }
  return render({ metadata: { annotations }, spec }, around, config.value)
}

const TLS = { 'tls-secret': 'serving' }

test.each<[string, string, unknown]>([
  ['one that is listed', AGENT, [domain({ ids: [AGENT] })]],
  ['all that are listed below', BELOW, [domain({ ids: [BELOW] })]],
  [
    'fewer',
    'spiffe://example.org/ns/tools/sa/*',
    [domain({ ids: ['spiffe://example.org/ns/tools/sa/*'] })],
  ],
  [
    'of two trust domains',
    `${AGENT}, spiffe://b.org/x`,
    [domain({ ids: [AGENT] }), { name: 'b.org', ids: ['spiffe://b.org/x'], bundle: PEM }],
  ],
])('a pod chooses %s', (_name, ids, expected) => {
  const outcome = rendered({ ...TLS, 'spiffe-ids': ids })
  const pod = outcome.kind === 'inject' ? outcome.pod : {}
  const document = documentOf(ownSidecar(pod))
  expect([document?.trustDomains, document?.issuers]).toEqual([expected, []])
})

describe('is denied', () => {
  test.each<[string, Readonly<Record<string, string>>, string, string]>([
    [
      'one that is not listed',
      { 'spiffe-ids': 'spiffe://example.org/x' },
      'not-listed',
      'example.org/x',
    ],
    [
      'more than is listed',
      { 'spiffe-ids': 'spiffe://example.org/*' },
      'not-listed',
      'example.org/*',
    ],
    [
      'below one that is listed alone',
      { 'spiffe-ids': 'spiffe://example.org/ops/*' },
      'not-listed',
      'ops',
    ],
    ['a way up', { 'spiffe-ids': 'spiffe://example.org/ns/tools/../*' }, 'not-listed', '..'],
    ['what is no ID', { 'spiffe-ids': 'agent' }, 'not-listed', '`agent`'],
    ['another trust domain', { 'spiffe-ids': 'spiffe://evil.org/x' }, 'not-listed', 'evil.org'],
    ['nobody at all', {}, 'not-listed', 'lists no issuer'],
  ])('%s', (_name, texts, code, says) => {
    const outcome = rendered({ ...TLS, ...texts })
    const found = outcome.kind === 'deny' ? outcome.violations : []
    expect(found).toContainEqual(
      expect.objectContaining({ code, message: expect.stringContaining(says) }),
    )
  })

  test('without TLS', () => {
    const outcome = rendered({ 'spiffe-ids': AGENT })
    const found = outcome.kind === 'deny' ? outcome.violations : []
    expect(found).toEqual([
      expect.objectContaining({
        code: 'incomplete',
        message: expect.stringContaining('tls-secret is missing'),
      }),
    ])
  })
})

describe('no cluster configuration is', () => {
  test.each<[string, readonly object[], RegExp]>([
    ['twice the same', [domain(), domain()], /stands there twice/],
    ["one with another's ID", [domain({ ids: ['spiffe://b.org/x'] })], /is not of example\.org/],
    ['one without authorities', [{ name: 'a.org', ids: ['spiffe://a.org/x'] }], /bundle/],
    ['one whose authorities are none', [domain({ bundle: 'x' })], /authorities in PEM/],
    ['one of no name', [domain({ name: 'spiffe://example.org' })], /name of a trust domain/],
    ['one of nobody', [domain({ ids: [] })], /ids/],
    ['one by a file of the pod', [domain({ bundleFile: '/x' })], /bundleFile/],
  ])('%s', (_name, domains, says) => {
    const read = configOf(...domains)
    expect(read.ok ? '' : read.error.join('\n')).toMatch(says)
  })
})
