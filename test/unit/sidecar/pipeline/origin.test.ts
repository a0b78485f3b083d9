// Host and Origin: who is known, and what only looks like it.

import { describe, expect, test } from '@jest/globals'
import { isAllowedOrigin, originFault, originRules } from '../../../../sidecar/pipeline/origin.ts'

const rulesOf = (
  allowedHosts: readonly string[],
  allowedOrigins: readonly string[],
  more: { readonly host?: string; readonly publicUrl?: string } = {},
): ReturnType<typeof originRules> =>
  originRules({
    host: more.host ?? '::',
    allowedHosts: [...allowedHosts],
    allowedOrigins: [...allowedOrigins],
    settings: more.publicUrl === undefined ? {} : { 'public-url': more.publicUrl },
  })

const RULES = rulesOf(
  ['tools.team.svc', '2001:db8::1'],
  [
    'https://inspector.example',
    'chrome-extension://abcdefghijklmnop',
    'app://obsidian.md',
    'vscode-webview://1Abc-2',
    'capacitor://localhost',
  ],
  { host: '192.0.2.7', publicUrl: 'https://mcp.example/x' },
)
const ANY_HOST = rulesOf(['*'], [])

type Pairs = readonly (readonly [string, string])[]

const outcome = (rules: typeof RULES, pairs: Pairs): string => {
  const joined = Map.groupBy(pairs, ([name]) => name.toLowerCase())
  const value = (name: string): string | undefined =>
    joined
      .get(name)
      ?.map(([, text]) => text)
      .join(', ')
  const headers = { host: joined.get('host')?.[0]?.[1], origin: value('origin') }
  return originFault(rules, headers, pairs.flat())?.code ?? 'passes'
}

const HOSTS: readonly (readonly [string, string, string])[] = [
  ['localhost', 'localhost', 'passes'],
  ['localhost with a port', 'localhost:15200', 'passes'],
  ['upper case', 'LOCALHOST:1', 'passes'],
  ['IPv4 loopback', '127.0.0.1:15200', 'passes'],
  ['IPv6 loopback', '[::1]', 'passes'],
  ['IPv6 loopback with a port', '[::1]:15200', 'passes'],
  ['an allowed host', 'tools.team.svc:15200', 'passes'],
  ['the public host', 'mcp.example', 'passes'],
  ['the address that is listened on', '192.0.2.7:15200', 'passes'],
  ['an allowed address', '[2001:db8::1]:15200', 'passes'],
  ['another host', 'evil.example', 'host-refused'],
  ['another loopback address', '127.0.0.2', 'host-refused'],
  ['IPv6 loopback without brackets', '::1', 'host-refused'],
  ['a host behind an allowed one', 'localhost.evil.example', 'host-refused'],
  ['a trailing dot', 'localhost.', 'host-refused'],
  ['a user part', 'localhost@evil.example', 'host-refused'],
  ['two hosts in one', 'localhost, evil.example', 'host-refused'],
  ['a port that is none', 'localhost:http', 'host-refused'],
  ['empty', '', 'host-refused'],
  ['long', 'a'.repeat(600), 'host-refused'],
]

const ORIGINS: readonly (readonly [string, string, boolean])[] = [
  ['an allowed origin', 'https://inspector.example', true],
  ['a loopback page', 'http://localhost:6274', true],
  ['a loopback page by address', 'http://127.0.0.1:6274', true],
  ['a loopback page over IPv6', 'http://[::1]:6274', true],
  ['the public origin', 'https://mcp.example', true],
  ['another scheme of an allowed origin', 'http://inspector.example', false],
  ['another port of an allowed origin', 'https://inspector.example:8443', false],
  ['another origin', 'https://evil.example', false],
  ['null, which sandboxed pages send', 'null', false],
  ['an extension', 'chrome-extension://localhost', false],
  ['an allowed extension', 'chrome-extension://abcdefghijklmnop', true],
  ['another extension', 'chrome-extension://abcdefghijklmnoq', false],
  ['an allowed desktop program', 'app://obsidian.md', true],
  ['the same name by another scheme', 'https://obsidian.md', false],
  ['an allowed view of an editor', 'vscode-webview://1abc-2', true],
  ['an allowed app of a phone', 'capacitor://localhost', true],
  ['loopback by a scheme of a program', 'ionic://localhost', false],
  ['an allowed extension with a path', 'chrome-extension://abcdefghijklmnop/page', false],
  ['a file', 'file:///home/me/page.html', false],
  ['a path behind it', 'https://inspector.example/', false],
  ['a user part', 'https://inspector.example@evil.example', false],
  ['a host behind an allowed one', 'https://inspector.example.evil.example', false],
  ['two in one', 'https://inspector.example, https://evil.example', false],
  ['white space', ' https://inspector.example', false],
  ['empty', '', false],
  ['long', `https://${'a'.repeat(600)}`, false],
]

describe('Host', () => {
  test.each(HOSTS)('%s', (_name, host, expected) => {
    expect(outcome(RULES, [['Host', host]])).toBe(expected)
  })

  test.each([
    ['missing', [], 'host-refused'],
    [
      'twice',
      [
        ['Host', 'localhost'],
        ['host', 'localhost'],
      ],
      'host-refused',
    ],
    [
      'twice, the second one another',
      [
        ['Host', 'localhost'],
        ['HOST', 'evil.example'],
      ],
      'host-refused',
    ],
  ] satisfies (readonly [string, Pairs, string])[])('%s', (_name, pairs, expected) => {
    expect(outcome(RULES, pairs)).toBe(expected)
    expect(outcome(ANY_HOST, pairs)).toBe(expected)
  })

  test('any, where the configuration says so', () => {
    expect(outcome(ANY_HOST, [['Host', 'whatever:1']])).toBe('passes')
  })
})

describe('Origin', () => {
  test.each(ORIGINS)('%s', (_name, origin, isAllowed) => {
    expect(isAllowedOrigin(RULES, origin)).toBe(isAllowed)
    const expected = isAllowed ? 'passes' : 'origin-refused'
    expect(
      outcome(RULES, [
        ['Host', 'localhost'],
        ['Origin', origin],
      ]),
    ).toBe(expected)
  })

  test.each([
    ['absent', [], 'passes'],
    [
      'twice',
      [
        ['Origin', 'https://inspector.example'],
        ['origin', 'https://inspector.example'],
      ],
      'host-refused',
    ],
  ] satisfies (readonly [string, Pairs, string])[])('%s', (_name, pairs, expected) => {
    expect(outcome(RULES, [['Host', 'localhost'], ...pairs])).toBe(expected)
  })

  test('is not widened where any Host passes', () => {
    expect(
      outcome(ANY_HOST, [
        ['Host', 'evil.example'],
        ['Origin', 'http://evil.example'],
      ]),
    ).toBe('origin-refused')
  })
})
