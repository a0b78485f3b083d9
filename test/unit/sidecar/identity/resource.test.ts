// What a server is called as a protected resource, by its configuration and by who asks.

import { describe, expect, test } from '@jest/globals'
import { parseSidecarConfig, type SidecarDocument } from '../../../../shared/sidecar-config.ts'
import { Resource } from '../../../../sidecar/identity/resource.ts'

const ISSUERS = [{ url: 'https://idp.example', audiences: ['shared'] }]

const resourceOf = (document: SidecarDocument, takesJwtSvids = false): Resource => {
  const config = parseSidecarConfig({ issuers: ISSUERS, ...document })
  if (!config.ok) throw new Error(config.error.join('\n'))
  return new Resource({ ...config.value, takesJwtSvids }, () => 15_200)
}

const PUBLIC = { settings: { 'public-url': 'https://API.example/a/mcp' } }

test.each<[string, SidecarDocument, readonly string[]]>([
  [
    'a public URL, as it is written and as others write it',
    PUBLIC,
    [
      'https://API.example/a/mcp',
      'https://API.example/a/mcp/',
      'https://api.example/a/mcp',
      'https://api.example/a/mcp/',
    ],
  ],
  [
    'loopback, by each name',
    { host: '127.0.0.1' },
    ['127.0.0.1', 'localhost', '[::1]'].flatMap((name) => [
      `http://${name}:15200/mcp`,
      `http://${name}:15200/mcp/`,
    ]),
  ],
  ['a pod without a public URL: nothing', { host: '::' }, []],
  ['a machine on a network: nothing', { host: '10.0.0.1' }, []],
])('audiences of %s', (_name, document, expected) => {
  expect(resourceOf(document).audiences).toEqual(expected)
})

describe('metadata and challenge name', () => {
  test.each<[string, SidecarDocument, string | undefined, string, string]>([
    [
      'the public URL, whoever asks',
      PUBLIC,
      '10.0.0.1:15200',
      'https://API.example/a/mcp',
      'https://api.example/.well-known/oauth-protected-resource/a/mcp',
    ],
    [
      'a public URL that is not ASCII',
      { settings: { 'public-url': 'https://api.example/münze/€' } },
      'api.example',
      'https://api.example/münze/€',
      'https://api.example/.well-known/oauth-protected-resource/m%C3%BCnze/%E2%82%AC',
    ],
    [
      'a public URL with a query',
      { settings: { 'public-url': 'https://api.example/mcp?tenant=a' } },
      'api.example',
      'https://api.example/mcp?tenant=a',
      'https://api.example/.well-known/oauth-protected-resource/mcp?tenant=a',
    ],
    [
      'the name that was asked for',
      {},
      'Pod.ns:15200',
      'http://pod.ns:15200/mcp',
      'http://pod.ns:15200/.well-known/oauth-protected-resource/mcp',
    ],
    ...[undefined, 'a"b', 'a b', 'a/../..', 'a?b', 'a@b', 'x'.repeat(300) + '%'].map(
      (host): [string, SidecarDocument, string | undefined, string, string] => [
        `its own, where a Host is none: ${String(host).slice(0, 10)}`,
        {},
        host,
        'http://127.0.0.1:15200/mcp',
        'http://127.0.0.1:15200/.well-known/oauth-protected-resource/mcp',
      ],
    ),
  ])('%s', (...[, document, host, url, metadata]) => {
    const resource = resourceOf(document)
    expect(
      JSON.parse(Buffer.from(resource.metadata({ host, path: '/mcp' }), 'latin1').toString()),
    ).toEqual({
      resource: url,
      authorization_servers: ['https://idp.example'],
      bearer_methods_supported: ['header'],
    })
    expect(resource.challenge({ host, path: '/mcp' }, {})).toBe(
      `Bearer resource_metadata="${metadata}"`,
    )
  })
})

test('a challenge holds what may stand in it', () => {
  const settings = { 'required-scopes': 'a,b:c/d' }
  const challenge = { error: 'invalid_token', description: 'a "b" \\ c\r\nX: ü' } as const
  const text = resourceOf({ settings }).challenge({ host: '127.0.0.1:1', path: '/mcp' }, challenge)
  expect(text).toMatch(
    /^Bearer error="invalid_token", error_description="a \?b\? \? c\?\?X: \?", scope="a b:c\/d", /,
  )
})

test.each([
  ['', '/mcp', 'http://pod:8000/mcp'],
  ['/mcp', '/mcp', 'http://pod:8000/mcp'],
  ['/api/v1', '/api/v1', 'http://pod:8000/api/v1'],
])('of the endpoint that stands at %s', (behind, path, url) => {
  const resource = resourceOf({})
  const isEndpoint = (one: string): boolean => ['/mcp', '/api/v1'].includes(one)
  expect(resource.pathOf(`/.well-known/oauth-protected-resource${behind}`, isEndpoint)).toBe(path)
  const asked = { host: 'pod:8000', path }
  expect(resource.metadata(asked)).toContain(`"resource":"${url}"`)
  expect(resource.challenge(asked, {})).toContain(`/.well-known/oauth-protected-resource${path}"`)
})

test.each([
  ['/.well-known/oauth-protected-resource', true],
  ['/.well-known/oauth-protected-resource/mcp', true],
  ['/.well-known/oauth-protected-resource/a/mcp', true],
  ['/.well-known/oauth-protected-resource/a', false],
  ['/.well-known/oauth-protected-resourcea/mcp', false],
  ['/.well-known/oauth-protected-resource../mcp', false],
  ['/a/mcp/.well-known/oauth-protected-resource', false],
])('%s is a place of its metadata: %s', (path, isPlace) => {
  const found = resourceOf(PUBLIC).pathOf(path, (one) => one === '/mcp')
  expect(found !== undefined).toBe(isPlace)
})

test('an endpoint at the root is its own', () => {
  const place = '/.well-known/oauth-protected-resource'
  expect(resourceOf({}).pathOf(place, (path) => path === '')).toBe('')
})

describe('where tokens may be bound to a key', () => {
  const ALGS = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'
  const asked = { host: 'pod:1', path: '/mcp' }
  const place = 'resource_metadata="https://api.example/.well-known/oauth-protected-resource/a/mcp"'
  const withDpop = (...dpop: readonly ('accepted' | 'required')[]): Resource =>
    resourceOf({
      ...PUBLIC,
      issuers: [
        { url: 'https://one.example' },
        ...dpop.map((word, index) => ({ url: `https://${index}.example`, dpop: word })),
      ].slice(dpop.includes('required') && !dpop.includes('accepted') ? 1 : 0),
    })

  test.each([
    ['may', withDpop('accepted'), { dpop_signing_alg_values_supported: ALGS.split(' ') }],
    [
      'may of one and must of another',
      withDpop('accepted', 'required'),
      { dpop_signing_alg_values_supported: ALGS.split(' ') },
    ],
    [
      'must of each',
      withDpop('required'),
      {
        dpop_signing_alg_values_supported: ALGS.split(' '),
        dpop_bound_access_tokens_required: true,
      },
    ],
  ])('the metadata says so: they %s', (_word, resource, expected) => {
    const metadata: unknown = JSON.parse(resource.metadata(asked))
    expect(metadata).toEqual({
      resource: 'https://API.example/a/mcp',
      authorization_servers: expect.any(Array),
      bearer_methods_supported: ['header'],
      ...expected,
    })
  })

  test.each<[string, SidecarDocument, boolean, readonly string[]]>([
    ['workloads by certificates alone', { issuers: [] }, false, ['Bearer']],
    ['JWT-SVIDs alone', { issuers: [] }, true, ['Bearer']],
    [
      'JWT-SVIDs beside tokens that must be bound',
      { issuers: [{ url: 'https://one.example', dpop: 'required' }] },
      true,
      ['Bearer', 'DPoP'],
    ],
  ])('nobody is told that every token must be: %s', (_name, more, takesJwtSvids, schemes) => {
    const resource = resourceOf({ ...PUBLIC, ...more }, takesJwtSvids)
    expect(resource.metadata(asked)).not.toContain('dpop_bound_access_tokens_required')
    expect(resource.challenge(asked, {}).match(/\b(?:Bearer|DPoP) /g)).toEqual(
      schemes.map((scheme) => `${scheme} `),
    )
  })

  test('a challenge names both schemes, first the one that was used, with what is wrong', () => {
    const resource = withDpop('accepted')
    const error = { error: 'invalid_token' } as const
    const [bearer, dpop] = [`Bearer ${place}`, `DPoP algs="${ALGS}", ${place}`]
    expect(resource.challenge(asked, {})).toBe(`${bearer}, ${dpop}`)
    expect(resource.challenge({ ...asked, scheme: 'Bearer' }, error)).toBe(
      `Bearer error="invalid_token", ${place}, ${dpop}`,
    )
    expect(resource.challenge({ ...asked, scheme: 'DPoP' }, error)).toBe(
      `DPoP error="invalid_token", algs="${ALGS}", ${place}, ${bearer}`,
    )
  })

  test.each(['Bearer', 'DPoP'] as const)('only DPoP where each must be: %s', (scheme) => {
    const challenge = withDpop('required').challenge(
      { ...asked, scheme },
      { error: 'invalid_token' },
    )
    expect(challenge).toBe(`DPoP error="invalid_token", algs="${ALGS}", ${place}`)
  })
})

describe('a proof is for it by', () => {
  const LOCAL = { host: '127.0.0.1' }
  test.each<[string, SidecarDocument, boolean]>([
    ['https://API.example/a/mcp', PUBLIC, true],
    ['https://api.example/a/mcp', PUBLIC, true],
    ['https://api.example/a/mcp/', PUBLIC, true],
    ['https://api.example:443/a/mcp', PUBLIC, true],
    ['https://api.example/a/../a/mcp', PUBLIC, true],
    ['https://api.example/a/mcp?session=1#here', PUBLIC, true],
    ['https://api.example/a/mcp/x', PUBLIC, false],
    ['https://api.example/a', PUBLIC, false],
    ['https://api.example/A/mcp', PUBLIC, false],
    ['http://api.example/a/mcp', PUBLIC, false],
    ['https://api.example:8443/a/mcp', PUBLIC, false],
    ['https://ada@api.example/a/mcp', PUBLIC, false],
    ['https://api.example.evil.example/a/mcp', PUBLIC, false],
    ['http://127.0.0.1:15200/mcp', PUBLIC, false],
    ['/a/mcp', PUBLIC, false],
    ['', PUBLIC, false],
    ['http://localhost:15200/mcp', LOCAL, true],
    ['http://[::1]:15200/mcp', LOCAL, true],
    ['http://127.0.0.1:15201/mcp', LOCAL, false],
    ['http://pod:15200/mcp', { host: '::' }, false],
  ])('%s', (url, document, isTarget) => {
    expect(resourceOf(document).isTarget(url)).toBe(isTarget)
  })
})
