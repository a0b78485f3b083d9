// Whose workloads a sidecar's document lets in: by which SVIDs, and for which audiences.

import { describe, expect, test } from '@jest/globals'
import { ok } from '../../../shared/result.ts'
import { parseSidecarConfig } from '../../../shared/sidecar-config.ts'
import { anAuthority } from '../../support/certificates.ts'

const PEM = anAuthority('example.org').cert
const KEY = { use: 'jwt-svid', kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: 'one' }
const [ID, URL_OF_BUNDLE] = ['spiffe://example.org/spire/server', 'https://spire/bundle']
const BUNDLE = JSON.stringify({ keys: [KEY] })
const TLS = { tls: { certFile: '/c', keyFile: '/k' } }
const OWN = { 'public-url': 'https://mcp.example.com/a' }

const domain = (more: object = {}) => ({
  name: 'example.org',
  ids: ['spiffe://example.org/*'],
  ...more,
})

const read = (domains: unknown, settings: object = {}, more: object = {}) => {
  const config = parseSidecarConfig({ settings, trustDomains: domains, ...more })
  return config.ok ? ok(config.value.trustDomains) : config
}

test.each<[string, object, object, object | undefined]>([
  ['by a bundle with keys', { bundle: BUNDLE, jwt: {} }, OWN, {}],
  ['by a file', { bundleFile: '/b', jwt: {} }, OWN, {}],
  ['by an endpoint', { bundleUrl: 'https://spire/bundle', jwt: {} }, OWN, {}],
  [
    'by an endpoint that shows an SVID',
    { bundle: PEM, bundleUrl: URL_OF_BUNDLE, endpointId: ID, jwt: {} },
    OWN,
    {},
  ],
  ['for an audience', { bundle: BUNDLE, jwt: { audiences: ['x'] } }, {}, { audiences: ['x'] }],
  [
    'for those of its audiences that settings choose',
    { bundle: BUNDLE, jwt: { audiences: ['x', 'y'] } },
    { 'oidc-audience': 'y,z' },
    { audiences: ['y'] },
  ],
])('JWT-SVIDs are taken %s, without TLS', (_name, more, settings, jwt) => {
  expect(read([domain(more)], settings)).toMatchObject({ ok: true, value: [{ jwt }] })
})

describe('is refused', () => {
  test.each<[string, object, object, string]>([
    ['X.509-SVIDs without TLS', { bundle: PEM }, {}, 'over TLS, which needs'],
    ['JWT-SVIDs by a bundle without keys', { bundle: PEM, jwt: {} }, OWN, 'no keys of JWT-SVIDs'],
    ['JWT-SVIDs for nobody', { bundle: BUNDLE, jwt: {} }, {}, 'for nobody'],
    [
      'JWT-SVIDs for an audience that is not its own',
      { bundle: BUNDLE, jwt: { audiences: ['x'] } },
      { 'oidc-audience': 'y' },
      'names none of the audiences',
    ],
    ['a bundle without a key', { bundle: '{"keys":[]}', jwt: {} }, OWN, 'with keys'],
    ['no bundle', { jwt: {} }, OWN, 'one of bundle'],
    ['two bundles', { bundle: BUNDLE, bundleUrl: 'https://spire/', jwt: {} }, OWN, 'one of bundle'],
    ['an SVID of no endpoint', { bundle: PEM, endpointId: ID, jwt: {} }, OWN, 'an https URL'],
    [
      'an endpoint of another trust domain',
      { bundle: PEM, bundleUrl: URL_OF_BUNDLE, endpointId: 'spiffe://b.org/spire', jwt: {} },
      OWN,
      'of another trust domain',
    ],
    [
      'an endpoint whose SVID nothing is known by',
      { bundleUrl: URL_OF_BUNDLE, endpointId: ID, jwt: {} },
      OWN,
      'its first bundle has to stand in bundle',
    ],
    [
      'a first bundle without authorities',
      { bundle: BUNDLE, bundleUrl: URL_OF_BUNDLE, endpointId: ID, jwt: {} },
      OWN,
      'with authorities',
    ],
    [
      'an SVID and authorities of its host’s certificate',
      { bundle: PEM, bundleUrl: URL_OF_BUNDLE, endpointId: ID, ca: PEM, jwt: {} },
      OWN,
      'no ca does',
    ],
    [
      'an endpoint’s pattern',
      { bundle: PEM, bundleUrl: URL_OF_BUNDLE, endpointId: 'spiffe://example.org/*', jwt: {} },
      OWN,
      'must be a SPIFFE ID',
    ],
    ['an endpoint in clear', { bundleUrl: 'http://spire/', jwt: {} }, OWN, 'https://'],
    [
      'hosts of nothing',
      { bundle: BUNDLE, hosts: [], jwt: {} },
      OWN,
      'bundleUrl, which is missing',
    ],
    ['no audiences', { bundle: BUNDLE, jwt: { audiences: [] } }, OWN, 'audiences'],
    ['what nobody knows', { bundle: BUNDLE, jwt: { issuer: 'x' } }, OWN, 'issuer'],
  ])('%s', (_name, more, settings, says) => {
    const found = read([domain(more)], settings)
    expect(found.ok ? '' : found.error.join('\n')).toContain(says)
  })

  test.each<[string, unknown, object, RegExp]>([
    ['no list', 'example.org', OWN, /^trustDomains: /],
    ['an empty one', [], OWN, /^trustDomains: /],
    [
      'where everybody is let in',
      [domain({ bundle: BUNDLE, jwt: {} })],
      { auth: 'none' },
      /auth: none/,
    ],
  ])('%s', (_name, domains, settings, says) => {
    const found = read(domains, settings)
    expect(found.ok ? '' : found.error.join('\n')).toMatch(says)
  })

  test('all that is wrong, at once and with what else is', () => {
    const strange = { name: 'b.org', ids: ['spiffe://c.org/*'], bundle: PEM }
    const found = read([domain({ bundle: BUNDLE, jwt: {} }), strange], OWN, { carriedPorts: [1] })
    expect(found.ok ? [] : found.error).toEqual([
      expect.stringContaining('carriedPorts'),
      expect.stringContaining('over TLS'),
      'trustDomains.1.ids.0: is of another trust domain than b.org',
    ])
  })

  test('one of several that would need TLS', () => {
    const other = { name: 'b.org', ids: ['spiffe://b.org/*'], bundle: PEM }
    const all = [domain({ bundle: BUNDLE, jwt: {} }), other]
    expect(read(all, OWN)).toMatchObject({ ok: false })
    expect(read(all, OWN, TLS)).toMatchObject({ ok: true })
  })
})
