// The grammar of `egress`, and which destination is about what.

import { describe, expect, test } from '@jest/globals'
import {
  ADMIN_PORT,
  EGRESS_PORT,
  MCP_PORT,
  OWN_PROXY_PORT,
  REPLICA_PORT,
} from '../../../shared/names.ts'
import { addressOf } from '../../../shared/address.ts'
import {
  destinationOf,
  matchAddress,
  matchName,
  type Destination,
} from '../../../shared/destination.ts'
import { parseDestinations } from '../../../shared/destination-list.ts'
import {
  absoluteName,
  absoluteSuffix,
  hostNameOf,
  isServiceName,
  type Cluster,
} from '../../../shared/host-name.ts'

const TEAM: Cluster = { domain: 'cluster.local', namespace: 'team' }

const parsed = (text: string): readonly Destination[] => {
  const result = parseDestinations(text)
  if (!result.ok) throw new Error(result.error)
  return result.value
}

describe('grammar', () => {
  test('a name', () => {
    expect(destinationOf('api.example.com:443')).toEqual({
      text: 'api.example.com:443',
      hosts: { kind: 'name', name: 'api.example.com' },
      port: 443,
      local: undefined,
    })
  })

  test.each([
    ['*.example.com:80', { kind: 'below', name: 'example.com' }],
    ['*:443', { kind: 'any' }],
    ['API.Example.com:443', { kind: 'name', name: 'api.example.com' }],
    ['bücher.example:443', { kind: 'name', name: 'xn--bcher-kva.example' }],
    ['db:5432', { kind: 'name', name: 'db' }],
    ['10.1.2.3:443', { kind: 'range', range: { bytes: Uint8Array.of(10, 1, 2, 3), prefix: 32 } }],
    ['localhost:80', { kind: 'range', range: { bytes: Uint8Array.of(127, 0, 0, 1), prefix: 32 } }],
    ['10.0.0.0/8:1', { kind: 'range', range: { bytes: Uint8Array.of(10, 0, 0, 0), prefix: 8 } }],
    [
      '[::ffff:10.0.0.1]:80',
      { kind: 'range', range: { bytes: Uint8Array.of(10, 0, 0, 1), prefix: 32 } },
    ],
  ])('%s', (text, hosts) => {
    expect(destinationOf(text)?.hosts).toEqual(hosts)
  })

  test.each(['[2001:db8::1]:443', '2001:db8::/32:443', '[2001:db8::/32]:443'])('%s', (text) => {
    expect(destinationOf(text)?.hosts.kind).toBe('range')
  })

  test.each([
    ['5432=analytics-db.team-data.svc:5432', 5432, 'name'],
    ['1=10.0.0.5:65535', 1, 'range'],
    ['8080=[::1]:8080', 8080, 'range'],
  ])('%s is a forward', (text, local, kind) => {
    const found = destinationOf(text)
    expect([found?.local, found?.hosts.kind]).toEqual([local, kind])
  })

  test.each([
    ['no port', 'example.com'],
    ['port 0', 'example.com:0'],
    ['a port with a zero before it', 'example.com:0443'],
    ['a port that is none', 'example.com:65536'],
    ['a service name', 'example.com:https'],
    ['every port', 'example.com:*'],
    ['a star inside', 'exa*mple.com:443'],
    ['two stars', '*.*.example.com:443'],
    ['a star before an address', '*.10.0.0.1:443'],
    ['a star and a dot', '*.:443'],
    ['a URL', 'https://example.com:443'],
    ['a path', 'example.com/a:443'],
    ['a user', 'a@example.com:443'],
    ['a dot at the end', 'example.com.:443'],
    ['two dots', 'a..example.com:443'],
    ['a dot before it', '.example.com:443'],
    ['an underscore', 'a_b.example.com:443'],
    ['a dash before it', '-a.example.com:443'],
    ['a long label', `${'a'.repeat(64)}.example:443`],
    ['a long name', `${'a.'.repeat(127)}ab:443`],
    ['numbers', '300.1.1.1:443'],
    ['an address of old', '127.1:443'],
    ['an address in hex', '0x7f000001:443'],
    ['an address in wide digits', '１２７.0.0.1:443'],
    ['a bare IPv6 address', '2001:db8::1:443'],
    ['a name in brackets', '[example.com]:443'],
    ['a zone', '[fe80::1%eth0]:443'],
    ['a range that is none', '10.0.0.0/33:443'],
    ['a range with bits behind it', '10.1.2.3/8:443'],
    ['the same of IPv6', '[2001:db8::1]/32:443'],
    ['the same without brackets', '2001:db8::1/32:443'],
    ['this machine with a dot at the end', 'localhost.:443'],
    ['white space within', 'example .com:443'],
    ['a line break', 'example.com\n:443'],
    ['a forward of a pattern', '80=*.example.com:80'],
    ['a forward of everything', '80=*:80'],
    ['a forward of a range', '80=10.0.0.0/8:80'],
    ['a forward without a port of its own', '=example.com:80'],
    ['a forward at port 0', '0=example.com:80'],
    ["a forward at the proxy's port", `${EGRESS_PORT}=example.com:80`],
    ["a forward at the proxy's port for one process", `${OWN_PROXY_PORT}=example.com:80`],
    ['a forward at the port for other replicas', `${REPLICA_PORT}=example.com:80`],
    ["a forward at the sidecar's port", `${MCP_PORT}=example.com:80`],
    ["a forward at the sidecar's other port", `${ADMIN_PORT}=example.com:80`],
    ['a forward of a forward', '1=2=example.com:80'],
    ['nothing', ''],
  ])('%s is none', (_name, text) => {
    expect(destinationOf(text)).toBeUndefined()
  })

  test.each([
    ['white space around', ' a.example:1 , b.example:2 ', ['a.example:1', 'b.example:2']],
    ['256', Array.from({ length: 256 }, (_, at) => `a.example:${at + 1}`).join(','), 256],
  ])('a list: %s', (_name, text, expected) => {
    const texts = parsed(text).map((one) => one.text)
    expect(typeof expected === 'number' ? texts.length : texts).toEqual(expected)
  })

  test('a list of none', () => {
    expect(parseDestinations('none')).toEqual({ ok: true, value: [] })
    expect(parseDestinations('none,a.example:1').ok).toBe(false)
  })

  test.each([
    ['an item that is none', 'a.example:1,a_b:1', '"a_b:1" is no destination: use `host:port`'],
    ['a comma too many', 'a.example:1,', '"" is nothing: a comma is too many'],
    ['one twice', 'a.example:1,a.example:1', '"a.example:1" stands there twice'],
    ['a local port twice', '1=a.example:1,1=b.example:1', 'two forwards have the local port 1'],
    ['257', Array.from({ length: 257 }, (_, at) => `a.example:${at + 1}`).join(','), 'more than'],
    [
      '33 forwards',
      Array.from({ length: 33 }, (_, at) => `${at + 5000}=a.example:1`).join(','),
      'more than 32 TCP forwards',
    ],
    ['a long item', '_'.repeat(9999), `"${'_'.repeat(80)}" is no destination`],
    [
      'several that are none',
      'a,a.example:1,b,c,d',
      '"a" names no port: for HTTPS that is `a:443`; "b" names no port: for HTTPS that is `b:443`; "c" names no port: for HTTPS that is `c:443`; and 1 more',
    ],
  ])('a list is refused for %s', (_name, text, words) => {
    const result = parseDestinations(text)
    expect(result).toEqual({ ok: false, error: expect.stringContaining(words) })
  })
})

describe('what is wrong with an item', () => {
  test.each([
    ['none,a.example:1', '"none" stands alone'],
    ['api.example.com', '"api.example.com" names no port: for HTTPS that is `api.example.com:443`'],
    ['5432=db.team.svc', 'names no port: where that is the local one, `5432=db.team.svc:5432`'],
    ['api.example.com:*', 'names no port: each needs an item of its own'],
    ['api.example.com:0', 'has a port that is none from 1 to 65535'],
    ['api.example.com:65536', 'has a port that is none from 1 to 65535'],
    ['api.example.com:0443', 'has a port that is none from 1 to 65535'],
    ['https://api.example.com/v1', 'is a URL: use `api.example.com:443`'],
    ['http://api.example.com', 'is a URL: use `api.example.com:80`'],
    ['https://api.example.com:8443', 'is a URL: use `api.example.com:8443`'],
    ['https://user@api.example.com', 'is a URL: use `host:port`'],
    ['9101=https://api.example.com', 'is a URL: use `9101=api.example.com:443`'],
    [
      '2001:db8::1',
      'lacks brackets: an IPv6 address stands in them before its port, `[2001:db8::1]:443`',
    ],
    ['2001:db8::1:8443', 'its port, `[2001:db8::1]:8443`'],
    [
      '10.1.2.3/8:443',
      'has bits behind its prefix: use `10.0.0.0/8:443` for all of them, or `10.1.2.3:443` for that one',
    ],
    ['10.1.2.3/8', 'use `10.0.0.0/8:443` for all of them'],
    [
      '2001:db8::1/32:80',
      'use `[2001:db8::/32]:80` for all of them, or `[2001:db8::1]:80` for that one',
    ],
    ['80=10.0.0.0/8:80', 'is a forward to more than one host: name one'],
    ['80=*.example.com:80', 'is a forward to more than one host: name one'],
    ['15202=a.example:80', 'has no local port that a forward can have'],
    ['x=a.example:80', 'has no local port that a forward can have'],
    ['example.com.:443', 'has a dot at the end of its name: use `example.com:443`'],
    ['exa*mple.com:443', 'has a star that is not all of what comes first'],
    ['a_b.example:443', 'is no destination: use `host:port`'],
    ['300.1.1.1:443', 'is no destination: use `host:port`'],
  ])('%s', (text, words) => {
    const result = parseDestinations(text)
    expect(result).toEqual({ ok: false, error: expect.stringContaining(words) })
    // What it says would be right is.
    const [, right] = (result.ok ? null : /(?:use|is|port,) `([^`]+)`/.exec(result.error)) ?? []
    if (right !== undefined && !right.startsWith('host') && !right.startsWith('*')) {
      expect(destinationOf(right)).toBeDefined()
    }
  })
})

describe('names', () => {
  test.each([
    ['EXAMPLE.com', 'example.com'],
    ['example.com.', 'example.com'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['r3---sn-a.example', 'r3---sn-a.example'],
    ['1.example', '1.example'],
    ['a', 'a'],
  ])('%s is %s', (text, name) => {
    expect(hostNameOf(text)).toBe(name)
  })

  test.each([
    ['two dots at the end', 'example.com..'],
    ['a dot alone', '.'],
    ['an address', '127.0.0.1'],
    ['an address with a dot', '127.0.0.1.'],
    ['one number', '2130706433'],
    ['hex at the end', 'a.0x7f'],
    ['a zero byte', 'example.com\0.evil.example'],
    ['a line feed', 'example.com\n'],
    ['a percent sign', 'example%2ecom'],
    ['a Kelvin sign that becomes an ASCII letter and a dot that becomes one', '\u212a\u30021'],
    ['very much', 'a'.repeat(2000)],
  ])('%s is no name', (_name, text) => {
    expect(hostNameOf(text)).toBeUndefined()
  })

  test.each([
    ['db.team.svc', 'cluster.local', 'db.team.svc.cluster.local', true],
    ['db.team.svc.cluster.local', 'cluster.local', 'db.team.svc.cluster.local', true],
    ['pod-0.db.team.svc', 'k8s.example', 'pod-0.db.team.svc.k8s.example', true],
    ['db.team.svc', undefined, 'db.team.svc', false],
    ['db.team', 'cluster.local', 'db.team', false],
    ['com', 'cluster.local', 'com', false],
    [
      'a.svc.cluster.local.evil.example',
      'cluster.local',
      'a.svc.cluster.local.evil.example',
      false,
    ],
    ['evilsvc.cluster.local', 'cluster.local', 'evilsvc.cluster.local', false],
  ])('%s in %s is %s', (name, domain, absolute, isService) => {
    const cluster = domain === undefined ? undefined : { domain, namespace: undefined }
    expect(absoluteName(name, cluster)).toBe(absolute)
    expect(isServiceName(absolute, cluster)).toBe(isService)
  })

  test.each([
    ['packages', 'packages.team.svc.cluster.local', true],
    ['com', 'com.team.svc.cluster.local', true],
    ['svc', 'svc.team.svc.cluster.local', true],
    ['packages.team.svc', 'packages.team.svc.cluster.local', true],
    ['packages.other', 'packages.other', false],
    ['github.com', 'github.com', false],
    ['a.example', 'a.example', false],
  ])('%s in a namespace is %s', (name, absolute, isService) => {
    expect(absoluteName(name, TEAM)).toBe(absolute)
    expect(isServiceName(absolute, TEAM)).toBe(isService)
  })

  test.each([
    ['com', 'com', false],
    ['team.svc', 'team.svc.cluster.local', true],
    ['svc', 'svc.cluster.local', true],
    ['example.com', 'example.com', false],
    ['evilsvc', 'evilsvc', false],
  ])('what is below %s is below %s', (suffix, absolute, isService) => {
    expect(absoluteSuffix(suffix, TEAM)).toBe(absolute)
    expect(isServiceName(absolute, TEAM)).toBe(isService)
  })
})

describe('matching', () => {
  const list = parsed(
    '*:443,*.example.com:443,api.example.com:443,*.b.example.com:443,db.team.svc:5432,10.0.0.0/8:443,*.example.com:80',
  )

  test.each<[string, number, string | undefined]>([
    ['api.example.com', 443, 'api.example.com:443'],
    ['a.example.com', 443, '*.example.com:443'],
    ['a.b.example.com', 443, '*.b.example.com:443'],
    ['b.example.com', 443, '*.example.com:443'],
    ['example.com', 443, '*:443'],
    ['example.com', 80, undefined],
    ['evilexample.com', 80, undefined],
    ['a.example.com.evil.example', 80, undefined],
    ['a.example.com', 80, '*.example.com:80'],
    ['db.team.svc', 5432, 'db.team.svc:5432'],
    ['db.team.svc', 5433, undefined],
    ['10.0.0.1', 5432, undefined],
  ])('%s:%i is matched by %s', (name, port, text) => {
    expect(matchName(list, name, port)?.text).toBe(text)
  })

  test.each<[string, number, string | undefined]>([
    ['10.9.9.9', 443, '10.0.0.0/8:443'],
    ['::ffff:10.9.9.9', 443, '10.0.0.0/8:443'],
    ['10.9.9.9', 80, undefined],
    ['8.8.8.8', 443, undefined],
    ['127.0.0.1', 443, undefined],
  ])('%s:%i is declared by %s', (text, port, expected) => {
    const address = addressOf(text)
    expect(address && matchAddress(list, address, port)?.text).toBe(expected)
  })
})
