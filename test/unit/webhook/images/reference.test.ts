import { describe, expect, test } from '@jest/globals'
import { parseReference, tagKey } from '../../../../webhook/images/reference.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`

describe('an image reference', () => {
  test.each([
    ['node', 'docker.io', 'library/node', 'latest', undefined],
    ['node:24', 'docker.io', 'library/node', '24', undefined],
    ['docker.io/node', 'docker.io', 'library/node', 'latest', undefined],
    ['index.docker.io/acme/echo:1', 'docker.io', 'acme/echo', '1', undefined],
    ['acme/echo', 'docker.io', 'acme/echo', 'latest', undefined],
    ['localhost/echo', 'localhost', 'echo', 'latest', undefined],
    ['localhost:5000/echo:1', 'localhost:5000', 'echo', '1', undefined],
    ['host:5000/a/b/c', 'host:5000', 'a/b/c', 'latest', undefined],
    ['[::1]:5000/a:1', '[::1]:5000', 'a', '1', undefined],
    ['ghcr.io/a/b_c__d.e--f:v1.2-x_y', 'ghcr.io', 'a/b_c__d.e--f', 'v1.2-x_y', undefined],
    [`node@${DIGEST}`, 'docker.io', 'library/node', undefined, DIGEST],
    [`host:5000/a:1@${DIGEST}`, 'host:5000', 'a', '1', DIGEST],
    // Docker takes what has a capital letter for a host.
    ['Acme/echo', 'Acme', 'echo', 'latest', undefined],
  ])('%s', (...[text, host, repository, tag, digest]) => {
    expect(parseReference(text)).toEqual({ ok: true, value: { host, repository, tag, digest } })
  })

  test.each([
    [''],
    ['Node'],
    ['acme/Echo'],
    ['a//b'],
    ['/a'],
    ['a/'],
    ['a:'],
    ['a:-1'],
    ['a b'],
    ['a@sha256:12'],
    [`a@sha512:${'a'.repeat(128)}`],
    [`a@${DIGEST}@${DIGEST}`],
    ['https://ghcr.io/a/b'],
    ['ghcr.io/../v2'],
    ['host:port/a'],
    ['user@host/a'],
    ['a?b'],
    ['a%2fb'],
    ['a\u0000b'],
    ['a'.repeat(300)],
    [`a:${'1'.repeat(129)}`],
    ['a/'.repeat(100_000)],
    [`${'a-'.repeat(500)}!`],
  ])('%j is refused', (text) => {
    expect(parseReference(text)).toMatchObject({ ok: false })
  })

  test.each([
    ['node', 'docker.io/library/node:latest'],
    ['r.example/a:1', 'r.example/a:1'],
    [`r.example/a:1@${DIGEST}`, undefined],
  ])('the tag of %s is recorded as %s', (text, key) => {
    const reference = parseReference(text)
    expect(reference.ok && tagKey(reference.value)).toBe(key)
  })
})
