import { describe, expect, test } from '@jest/globals'
import { readClusterConfig } from '../../../../webhook/cluster/config.ts'
import { accessTo, allowedRealm } from '../../../../webhook/images/registries.ts'

const access = (host: string, yaml?: string) => {
  const registries = yaml === undefined ? '' : `\nregistries: ${yaml}`
  const config = readClusterConfig(`sidecar: { image: x }${registries}`)
  if (!config.ok) throw new Error(config.error.join('; '))
  return accessTo(host, config.value.registries)
}

describe('a registry', () => {
  test.each<readonly [string, string, string | undefined, readonly [string, string]]>([
    ['Docker Hub, without a word', 'docker.io', undefined, ['https://registry-1.docker.io/', '']],
    ['another public one', 'ghcr.io', undefined, ['https://ghcr.io/', '']],
    [
      'one of a company',
      'r.example:5000',
      '{ "r.example:5000": {} }',
      ['https://r.example:5000/', ''],
    ],
    ['plain HTTP', 'r:5000', '{ "r:5000": { allowPlainHttp: true } }', ['http://r:5000/', '']],
    [
      'a mirror with a path',
      'docker.io',
      '{ docker.io: { mirror: "https://m/a/b/" } }',
      ['https://m/', 'a/b/'],
    ],
  ])('is asked: %s', (_name, host, yaml, [base, prefix]) => {
    const found = access(host, yaml)
    expect(found.ok && [found.value.base.href, found.value.prefix]).toEqual([base, prefix])
  })

  test.each([
    ['of another port', 'r.example:5001', '{ "r.example:5000": {} }'],
    ['that was left out', 'docker.io', '{ r.example: {} }'],
    ['of a name of Object itself', 'constructor', '{}'],
    ['whose mirror is plain HTTP', 'docker.io', '{ docker.io: { mirror: "http://m" } }'],
  ])('is not asked: one %s', (_name, host, yaml) => {
    expect(access(host, yaml)).toMatchObject({ ok: false })
  })

  test.each([
    ['a realm with a secret', '{ r: { realms: ["https://a:b@r/t"] } }'],
    ['a realm with a query', '{ r: { realms: ["https://r/t?x=1"] } }'],
    ['a mirror of another kind', '{ r: { mirror: "file:///x" } }'],
    ['a host with a path', '{ r.example/a: {} }'],
    ['a URL for a host', '{ "https://r": {} }'],
    ['a member that does not exist', '{ r: { insecure: true } }'],
  ])('cannot be configured with %s', (_name, yaml) => {
    expect(() => access('r', yaml)).toThrow('registries')
  })
})

describe('a realm', () => {
  const REALMS = '{ r.example: { realms: ["https://auth.example/token"] } }'
  test.each([
    ['the registry itself', 'https://r.example/v2/auth', true],
    ['the one that is listed', 'https://auth.example/token', true],
    ['with a query', 'https://auth.example/token?a=b', true],
    ['on another path', 'https://auth.example/token/x', false],
    ['on another host', 'https://evil.example/token', false],
    ['on a host that begins alike', 'https://auth.example.evil/token', false],
    ['on another port', 'https://auth.example:444/token', false],
    ['without TLS', 'http://auth.example/token', false],
    ['with a user', 'https://auth.example@r.example/token', false],
    ['on a path', '/token', false],
    ['nowhere', '', false],
  ])('%s: %s', (_name, realm, isAllowed) => {
    const found = access('r.example', REALMS)
    if (!found.ok) throw new Error(found.error)
    expect(allowedRealm(realm, found.value) !== undefined).toBe(isAllowed)
  })

  test.each([
    ['docker.io', 'https://auth.docker.io/token'],
    ['registry.gitlab.com', 'https://gitlab.com/jwt/auth'],
  ])('%s is known to use %s', (host, realm) => {
    const found = access(host)
    expect(found.ok && allowedRealm(realm, found.value)?.href).toBe(realm)
  })

  test('of a registry is not one of its mirror', () => {
    const found = access('docker.io', '{ docker.io: { mirror: "https://m.example" } }')
    expect(found.ok && allowedRealm('https://auth.docker.io/token', found.value)).toBeUndefined()
  })
})
