// Whom a configuration lists, what settings choose of it, and what is refused before anybody is served.

import { describe, expect, test } from '@jest/globals'
import { parseSidecarConfig, type SidecarDocument } from '../../../shared/sidecar-config.ts'

const A = { url: 'https://a.example' }
const B = { url: 'https://b.example', audiences: ['one', 'two'] }
const PUBLIC = 'https://mcp.example/mcp'

const chosen = (document: SidecarDocument) => {
  const config = parseSidecarConfig(document)
  if (!config.ok) throw new Error(config.error.join('\n'))
  return config.value.issuers.map(({ url, audiences }) => [url, audiences])
}

describe('settings choose', () => {
  test.each<[string, SidecarDocument, unknown]>([
    ['all, where they say nothing', { issuers: [B] }, [[B.url, B.audiences]]],
    [
      'the issuers that they name',
      { issuers: [A, B], settings: { 'oidc-issuers': B.url, 'public-url': PUBLIC } },
      [[B.url, B.audiences]],
    ],
    [
      'the audiences that they name',
      { issuers: [B], settings: { 'oidc-audience': 'two' } },
      [[B.url, ['two']]],
    ],
    [
      'the public URL among an issuer without audiences',
      { issuers: [A], settings: { 'oidc-audience': PUBLIC, 'public-url': PUBLIC } },
      [[A.url, [PUBLIC]]],
    ],
    ['the own URL on loopback', { issuers: [A], host: '127.0.0.1' }, [[A.url, undefined]]],
  ])('%s', (_name, document, expected) => {
    expect(chosen(document)).toEqual(expected)
  })
})

describe('is refused', () => {
  const none = { auth: 'none' }

  test.each<[string, SidecarDocument, string]>([
    ['issuers that are listed in vain', { issuers: [B], settings: none }, 'issuers: auth: none'],
    ['issuers set in vain', { settings: { ...none, 'oidc-issuers': A.url } }, 'oidc-issuers: auth'],
    [
      'audiences set in vain',
      { settings: { ...none, 'oidc-audience': 'a' } },
      'oidc-audience: auth',
    ],
    [
      'scopes set in vain',
      { settings: { ...none, 'required-scopes': 'a' } },
      'required-scopes: auth',
    ],
    ['a scope that is none', { settings: { 'required-scopes': 'a"b' } }, 'a"b is no scope'],
    ['an issuer of one’s own', { issuers: [B], settings: { 'oidc-issuers': A.url } }, 'not among'],
    [
      'an audience of one’s own',
      { issuers: [B], settings: { 'oidc-audience': 'three' } },
      'none of the audiences of https://b.example: one, two',
    ],
    [
      'an audience beside the own URL',
      { issuers: [A], settings: { 'oidc-audience': 'a', 'public-url': PUBLIC } },
      'none of the audiences of https://a.example',
    ],
    ['tokens for nobody', { issuers: [A], host: '::' }, 'its tokens are for nobody'],
    [
      'proofs for a server without a URL of its own',
      { issuers: [{ ...B, dpop: 'accepted' }], host: '::' },
      'https://b.example: dpop: proofs name the server',
    ],
    ['an issuer twice', { issuers: [B, { ...B, audiences: ['three'] }] }, 'stands there twice'],
    [
      'an issuer by http',
      { issuers: [{ ...B, url: 'http://b.example' }] },
      'must begin with https://',
    ],
    ['an issuer with a query', { issuers: [{ ...B, url: 'https://b/?a' }] }, 'a query'],
    [
      'a host with a scheme',
      { issuers: [{ ...B, hosts: [{ host: 'https://c' }] }] },
      'never match',
    ],
    ['a host in large letters', { issuers: [{ ...B, hosts: [{ host: 'C.d' }] }] }, 'never match'],
    [
      'where nobody can ask',
      { issuers: [{ ...B, introspectionUrl: 'https://b.example/i' }] },
      'nothing is asked there without introspectionDir',
    ],
    [
      'credentials for nobody',
      { issuers: [B], introspectionDir: '/c' },
      'exactly one of issuers needs an introspectionUrl, and none has one',
    ],
    [
      'a question by http',
      { issuers: [{ ...B, introspectionUrl: 'http://b.example/i' }], introspectionDir: '/c' },
      'must begin with https://',
    ],
    [
      'accounts whose keys nobody has',
      { issuers: [{ ...B, serviceAccounts: ['a/b'] }] },
      'its keys come from apiServer, which is missing',
    ],
    [
      'an API server for nobody',
      { issuers: [B], apiServer: { url: 'https://k', dir: '/d' } },
      'exactly one of issuers has serviceAccounts, not 0',
    ],
    [
      'an API server by http',
      {
        issuers: [{ ...B, serviceAccounts: ['a/b'] }],
        apiServer: { url: 'http://k', dir: '/d' },
      },
      'apiServer.url: must be https',
    ],
    ...['b', 'a/', '/b', 'a/b/c', 'a/*', '*/b', 'A/b', 'a:b/c'].map(
      (account): [string, SidecarDocument, string] => [
        `the account ${account}`,
        { issuers: [{ ...B, serviceAccounts: [account] }] },
        'must be NAMESPACE/NAME',
      ],
    ),
    ['a host with a path', { issuers: [{ ...B, hosts: [{ host: 'c/d' }] }] }, 'never match'],
    ['a host of stars', { issuers: [{ ...B, hosts: [{ host: '*.c' }] }] }, 'never match'],
  ])('%s', (_name, document, says) => {
    const config = parseSidecarConfig(document)
    expect(config.ok ? [] : config.error).toEqual([expect.stringContaining(says)])
  })
})

test.each(['c.example', 'c.example:8443', '10.0.0.1', '[fd12::1]:6443', 'localhost:80'])(
  'a host may be %s',
  (host) => {
    expect(parseSidecarConfig({ issuers: [{ ...B, hosts: [{ host }] }] })).toMatchObject({
      ok: true,
    })
  },
)
