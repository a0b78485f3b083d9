import { describe, expect, test } from '@jest/globals'
import {
  mayClaim,
  patternFault,
  publicUrlsFor,
  sharedFault,
  type Claimant,
} from '../../../../webhook/settings/public-urls.ts'

const LISTED = {
  'team-a': ['https://mcp.example.com/search', 'http://search.team-a.svc:15200/mcp'],
  'team-b': ['https://b.example.com'],
  '*': ['https://mcp.example.com/{namespace}/*', 'https://{namespace}.tools.example.com/mcp'],
}

const serverOf = (namespace: string): Claimant => ({
  namespace,
  name: 'search',
  serviceAccount: 'default',
})

const claims = (namespace: string, url: string): boolean =>
  mayClaim(url, publicUrlsFor(serverOf(namespace), LISTED))

describe('a URL that a namespace’s pods claim', () => {
  test.each([
    ['the listed one', 'team-a', 'https://mcp.example.com/search'],
    ['with a slash at its end', 'team-a', 'https://mcp.example.com/search/'],
    ['a Service’s, without TLS', 'team-a', 'http://search.team-a.svc:15200/mcp'],
    ['an origin alone', 'team-b', 'https://b.example.com'],
    ['an origin with its slash', 'team-b', 'https://b.example.com/'],
    ['below the namespace’s path', 'team-a', 'https://mcp.example.com/team-a/mail'],
    ['deep below it', 'team-c', 'https://mcp.example.com/team-c/v1/mail/mcp'],
    ['the namespace’s host', 'team-c', 'https://team-c.tools.example.com/mcp'],
  ])('is its own: %s', (_name, namespace, url) => {
    expect(claims(namespace, url)).toBe(true)
  })

  test.each([
    ['another namespace’s', 'team-b', 'https://mcp.example.com/search'],
    ['below another namespace’s path', 'team-b', 'https://mcp.example.com/team-a/mail'],
    ['the path itself', 'team-a', 'https://mcp.example.com/team-a/'],
    ['a path that only begins alike', 'team-a', 'https://mcp.example.com/team-a-x/mail'],
    ['up by dots', 'team-b', 'https://mcp.example.com/team-b/../team-a/mail'],
    ['up by encoded dots', 'team-b', 'https://mcp.example.com/team-b/%2e%2e/team-a/mail'],
    ['up by an encoded slash', 'team-b', 'https://mcp.example.com/team-b/..%2fteam-a/mail'],
    ['up by a backslash', 'team-b', 'https://mcp.example.com/team-b\\..\\team-a/mail'],
    ['up by a parameter', 'team-b', 'https://mcp.example.com/team-b/..;/team-a/mail'],
    ['an empty part of a path', 'team-b', 'https://mcp.example.com/team-b//mail'],
    ['a query', 'team-a', 'https://mcp.example.com/search?x=1'],
    ['another scheme', 'team-a', 'http://mcp.example.com/search'],
    ['another port', 'team-a', 'https://mcp.example.com:8443/search'],
    ['a port that goes without saying', 'team-a', 'https://mcp.example.com:443/search'],
    ['another case of the host', 'team-a', 'https://MCP.example.com/search'],
    ['another case of the path', 'team-a', 'https://mcp.example.com/Search'],
    ['a user before the host', 'team-a', 'https://mcp.example.com@evil.example/search'],
    ['a longer host', 'team-b', 'https://b.example.com.evil.example/'],
    ['another namespace’s host', 'team-b', 'https://team-a.tools.example.com/mcp'],
    ['the placeholder', 'team-a', 'https://mcp.example.com/{namespace}/mail'],
    ['the wildcard', 'team-a', 'https://mcp.example.com/*'],
    ['a namespace that is named like a member of every object', 'constructor', 'https://x/y'],
    ['no URL', 'team-a', 'search'],
  ])('is not: %s', (_name, namespace, url) => {
    expect(claims(namespace, url)).toBe(false)
  })

  test('a placeholder is filled in as it stands', () => {
    const listed = { '*': ['https://{name}.example/{namespace}/{serviceAccount}/{name}'] }
    expect(publicUrlsFor(serverOf('team-a'), listed)).toEqual([
      'https://search.example/team-a/default/search',
    ])
  })

  test.each([
    ['$&'],
    ['../team-b/mail'],
    ['a/b'],
    ['a..b'],
    ['A'],
    ['*'],
    ['{serviceAccount}'],
    [''],
  ])('a name that is none fills no place: %j', (name) => {
    const listed = { '*': ['https://x.example/{namespace}/{name}', 'https://{namespace}.example'] }
    expect(publicUrlsFor({ ...serverOf('team-a'), name }, listed)).toEqual([
      'https://team-a.example',
    ])
  })
})

describe('of the servers of a namespace', () => {
  const listed = {
    'team-a': [
      { url: 'https://search.example', name: 'search' },
      { url: 'https://mail.example/*', serviceAccount: 'mail' },
      { url: 'https://{name}.both.example', name: 'search', serviceAccount: 'mail' },
    ],
    '*': ['https://mcp.example/{namespace}/{name}'],
  }
  test.each<readonly [name: string, serviceAccount: string, urls: readonly string[]]>([
    ['search', 'default', ['https://search.example', 'https://mcp.example/team-a/search']],
    ['other', 'mail', ['https://mail.example/*', 'https://mcp.example/team-a/other']],
    ['other', 'default', ['https://mcp.example/team-a/other']],
    [
      'search',
      'mail',
      [
        'https://search.example',
        'https://mail.example/*',
        'https://search.both.example',
        'https://mcp.example/team-a/search',
      ],
    ],
  ])('%s as %s has its own', (name, serviceAccount, urls) => {
    expect(publicUrlsFor({ namespace: 'team-a', name, serviceAccount }, listed)).toEqual(urls)
  })
})

describe('a URL that is listed', () => {
  test.each([
    'https://mcp.example.com',
    'https://mcp.example.com/',
    'https://mcp.example.com/*',
    'https://mcp.example.com/{namespace}/*',
    'https://mcp.example.com/{namespace}/{name}',
    'https://{name}.{namespace}.example.com/{serviceAccount}/*',
    'https://{namespace}.example.com/mcp',
    'http://echo.{namespace}.svc:15200/mcp',
  ])('can be claimed: %s', (pattern) => {
    expect(patternFault(pattern)).toBeUndefined()
  })

  test.each([
    'mcp.example.com',
    'ftp://mcp.example.com/',
    'https://*.example.com/mcp',
    'https://mcp.example.com/*/mcp',
    'https://mcp.example.com/a*',
    'https://mcp.example.com/{pod}',
    'https://mcp.example.com/a/../b',
    'https://MCP.example.com/',
    'https://mcp.example.com:443/',
    'https://a:b@mcp.example.com/',
    'https://mcp.example.com/?a',
    'https://mcp.example.com/#a',
    'https://mcp.example.com:{namespace}/',
    'https://mcp.example.com//a',
  ])('can never be claimed: %s', (pattern) => {
    expect(patternFault(pattern)).toContain('can never be claimed')
  })

  test.each([
    ['https://mcp.example.com/*', false],
    ['https://mcp.example.com/{namespace}', true],
    ['https://mcp.example.com/{name}', false],
  ])('for every namespace: %s', (pattern, isRight) => {
    expect(sharedFault(pattern) === undefined).toBe(isRight)
  })
})
