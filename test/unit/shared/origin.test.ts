// What an Origin header and a Host header can say, of all that a configuration may list.

import { describe, expect, test } from '@jest/globals'
import { hostOf, originOf } from '../../../shared/origin.ts'

describe('originOf', () => {
  test.each([
    ['a page', 'https://inspector.example', 'https://inspector.example'],
    ['a port', 'http://a.example:8080', 'http://a.example:8080'],
    ["the scheme's own port", 'https://a.example:443', 'https://a.example'],
    ['upper case', 'HTTPS://A.Example', 'https://a.example'],
    ['a slash at the end', 'https://a.example/', 'https://a.example'],
    ['an extension', 'chrome-extension://abc', 'chrome-extension://abc'],
    ['a program', 'app://-', 'app://-'],
    ['a view of an editor', 'vscode-webview://0aBc', 'vscode-webview://0abc'],
    ['a path', 'https://a.example/mcp', undefined],
    ['a query', 'https://a.example?x=1', undefined],
    ['a user', 'https://me@a.example', undefined],
    ['a wildcard', 'https://*.example', undefined],
    ['no scheme', 'a.example', undefined],
    ['a file', 'file:///a', undefined],
    ['null, which anybody can be', 'null', undefined],
    ['everything', '*', undefined],
    ['nothing', '', undefined],
  ])('%s', (_name, text, expected) => {
    expect(originOf(text)).toBe(expected)
  })
})

describe('hostOf', () => {
  test.each([
    ['a name', 'Tools.team.svc', 'tools.team.svc'],
    ['a name with an underscore', 'my_service', 'my_service'],
    ['an address', '192.0.2.1', '192.0.2.1'],
    ['an IPv6 address', '2001:DB8::1', '[2001:db8::1]'],
    ['the same in brackets', '[::1]', '[::1]'],
    ['a port', 'a.example:80', undefined],
    ['a scheme', 'https://a.example', undefined],
    ['a wildcard', '*.example', undefined],
    ['a dot at the end', 'a.example.', undefined],
    ['nothing', '', undefined],
  ])('%s', (_name, text, expected) => {
    expect(hostOf(text)).toBe(expected)
  })
})
