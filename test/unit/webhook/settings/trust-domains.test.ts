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

const floorOf = (floor: object) =>
  readClusterConfig(JSON.stringify({ sidecar: { image: 'x' }, floor }))

const configOf = (...trustDomains: readonly object[]) => floorOf({ trustDomains })

const B = { name: 'b.org', ids: ['spiffe://b.org/*'], bundle: PEM }

const rendered = (
  texts: Readonly<Record<string, string>>,
  floor: object = { trustDomains: [domain(), B] },
) => {
  const config = floorOf(floor)
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

const JWT_KEY = { use: 'jwt-svid', kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'one' }
const JSON_BUNDLE = JSON.stringify({ keys: [JWT_KEY] })
const OWN = 'https://mcp.example.com/x'
const ISSUER = { url: 'https://idp.example.com', audiences: ['batch'] }
/** JWT-SVIDs are taken of one, and an issuer is listed beside it. */
const BOTH = {
  issuers: [ISSUER],
  publicUrls: { 'team-a': [OWN] },
  trustDomains: [domain({ bundle: JSON_BUNDLE, jwt: { audiences: ['tools'] } }), B],
}

/** Whom the sidecar believes: the issuers, and the trust domains with the audiences of their JWT-SVIDs. */
const believed = (texts: Readonly<Record<string, string>>): unknown => {
  const outcome = rendered(texts, BOTH)
  if (outcome.kind !== 'inject') return outcome.kind === 'deny' ? outcome.violations : undefined
  const document = documentOf(ownSidecar(outcome.pod))
  return [
    document?.issuers.map(({ url }) => url),
    document?.trustDomains.map(({ name, jwt }) => [name, jwt]),
  ]
}

describe('where issuers are listed too, and JWT-SVIDs', () => {
  const ids = { 'spiffe-ids': AGENT }
  const alone = { 'oidc-issuers': 'none' }
  const named = [ISSUER.url]
  test.each<[string, Readonly<Record<string, string>>, unknown]>([
    [
      'SVIDs of both kinds alone',
      { ...ids, ...alone, ...TLS, 'public-url': OWN },
      [[], [['example.org', {}]]],
    ],
    [
      'JWT-SVIDs alone, for its URL',
      { ...ids, ...alone, 'public-url': OWN },
      [[], [['example.org', {}]]],
    ],
    [
      'JWT-SVIDs alone, for a listed audience',
      { ...ids, ...alone, 'oidc-audience': 'tools' },
      [[], [['example.org', { audiences: ['tools'] }]]],
    ],
    [
      'X.509-SVIDs alone, without a URL',
      { ...ids, ...alone, ...TLS },
      [[], [['example.org', undefined]]],
    ],
    [
      'SVIDs without a word of issuers, and without a URL',
      { ...ids, ...TLS },
      [[], [['example.org', undefined]]],
    ],
    [
      'SVIDs and tokens, for its URL',
      { ...ids, ...TLS, 'public-url': OWN },
      [named, [['example.org', {}]]],
    ],
    [
      'tokens for an audience that is no JWT-SVID’s',
      { ...ids, ...TLS, 'oidc-audience': 'batch' },
      [named, [['example.org', undefined]]],
    ],
    [
      'a trust domain whose JWT-SVIDs are not listed',
      { ...alone, ...TLS, 'spiffe-ids': 'spiffe://b.org/x', 'public-url': OWN },
      [[], [['b.org', undefined]]],
    ],
  ])('a pod takes %s', (_name, texts, expected) => {
    expect(believed(texts)).toEqual(expected)
  })

  test.each<[string, Readonly<Record<string, string>>, string, string]>([
    ['nobody', { ...alone, 'public-url': OWN }, 'incomplete', 'spiffe-ids chooses none'],
    [
      'none beside issuers',
      { ...ids, ...TLS, 'oidc-issuers': `none,${ISSUER.url}`, 'public-url': OWN },
      'bad-value',
      'let it stand alone',
    ],
    [
      'an issuer that no token could be for',
      { ...ids, ...TLS, 'oidc-issuers': ISSUER.url },
      'incomplete',
      'public-url is missing',
    ],
    ['SVIDs that nothing could show', { ...ids, ...alone }, 'incomplete', 'tls-secret is missing'],
    [
      'an audience that is not listed',
      { ...ids, ...TLS, ...alone, 'oidc-audience': 'batch' },
      'not-listed',
      '`batch`',
    ],
    [
      'a URL that is another’s',
      { ...ids, ...alone, 'public-url': 'https://mcp.example.com/y' },
      'not-listed',
      'floor.publicUrls',
    ],
  ])('a pod is denied that takes %s', (_name, texts, code, says) => {
    expect(believed(texts)).toContainEqual(
      expect.objectContaining({ code, message: expect.stringContaining(says) }),
    )
  })

  test.each<[string, Readonly<Record<string, string>>, readonly RegExp[]]>([
    [
      'without a URL',
      { ...ids, ...TLS },
      [/no tokens of issuers are taken/, /JWT-SVIDs of `example.org` are not taken/],
    ],
    ['with issuers left out by a word', { ...ids, ...alone, ...TLS }, [/JWT-SVIDs of/]],
    ['with a URL', { ...ids, ...TLS, 'public-url': OWN }, []],
  ])('is told what is not taken, %s', (_name, texts, says) => {
    const outcome = rendered(texts, BOTH)
    const warnings = outcome.kind === 'inject' ? outcome.warnings : ['denied']
    const told = warnings.filter((warning) => warning.includes('taken'))
    expect(told).toHaveLength(says.length)
    for (const [index, one] of told.entries()) expect(one).toMatch(says[index] ?? /never/)
    for (const one of told) expect(one.length).toBeLessThanOrEqual(256)
  })
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
    [
      "one with another's ID",
      [domain({ ids: ['spiffe://b.org/x'] })],
      /is of another trust domain than example\.org/,
    ],
    ['one without authorities', [{ name: 'a.org', ids: ['spiffe://a.org/x'] }], /one of bundle/],
    ['one whose authorities are none', [domain({ bundle: 'x' })], /authorities in PEM/],
    ['one of no name', [domain({ name: 'spiffe://example.org' })], /name of a trust domain/],
    ['one of nobody', [domain({ ids: [] })], /ids/],
    ['one by a file of the pod', [domain({ bundleFile: '/x' })], /bundleFile/],
    [
      'JWT-SVIDs by authorities alone',
      [domain({ jwt: {} })],
      /trustDomains\.0\.bundle: .*no keys of JWT-SVIDs/,
    ],
    ['one with two bundles', [domain({ bundleUrl: 'https://spire.example/' })], /one of bundle/],
    [
      'an endpoint in clear',
      [domain({ bundle: undefined, bundleUrl: 'http://spire.example/' })],
      /must begin with https/,
    ],
    [
      'an endpoint on loopback, the pod’s own',
      [domain({ bundle: undefined, bundleUrl: 'http://127.0.0.1/' })],
      /bundleUrl: loopback is the pod/,
    ],
    [
      'an endpoint whose name may lead to loopback',
      [
        domain({
          bundle: undefined,
          bundleUrl: 'https://spire.example/',
          hosts: [{ host: 'spire.example', reach: 'loopback' }],
        }),
      ],
      /bundleUrl: loopback is the pod/,
    ],
    ['hosts of no endpoint', [domain({ hosts: [{ host: 'x' }] })], /bundleUrl, which is missing/],
    [
      'an audience that no annotation could choose',
      [domain({ bundle: JSON_BUNDLE, jwt: { audiences: ['a,b'] } })],
      /comma/,
    ],
  ])('%s', (_name, domains, says) => {
    const read = configOf(...domains)
    expect(read.ok ? '' : read.error.join('\n')).toMatch(says)
  })
})
