import { describe, expect, test } from '@jest/globals'
import { readConfig, readDocument } from '../../../../webhook/images/manifest.ts'

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`
const OCI = 'application/vnd.oci.image'
const INDEX = `${OCI}.index.v1+json`
const IMAGE = `${OCI}.manifest.v1+json`

const entry = (letter: string, platform: object) => ({
  mediaType: IMAGE,
  digest: digest(letter),
  size: 1,
  platform,
})
const linux = (architecture: string, variant?: string) => ({ os: 'linux', architecture, variant })
const image = {
  schemaVersion: 2,
  config: { mediaType: `${OCI}.config.v1+json`, digest: digest('c'), size: 1 },
  layers: [],
}

describe('an index', () => {
  test('is its platforms of Linux, the first of each', () => {
    const manifests = [
      entry('a', linux('amd64')),
      entry('b', linux('arm64', 'v8')),
      entry('c', linux('amd64')),
      entry('d', { os: 'windows', architecture: 'amd64' }),
      entry('e', { os: 'unknown', architecture: 'unknown' }),
      { mediaType: IMAGE, digest: digest('f'), size: 1 },
      { ...entry('0', linux('s390x')), mediaType: 'application/vnd.acme+json' },
    ]
    const read = readDocument(JSON.stringify({ manifests }), INDEX)
    expect(read).toEqual({
      ok: true,
      value: {
        kind: 'index',
        platforms: new Map([
          ['linux/amd64', digest('a')],
          ['linux/arm64/v8', digest('b')],
        ]),
      },
    })
  })

  const many = Array.from({ length: 33 }, (_item, number) => entry('a', linux(`cpu${number}`)))

  test.each<readonly [string, unknown, string, RegExp]>([
    ['nothing for Linux', { manifests: [] }, INDEX, /no image for Linux/],
    ['too many platforms', { manifests: many }, INDEX, /more than 32/],
    [
      'too many descriptors',
      { manifests: [...many, ...many, ...many, ...many, ...many, ...many, ...many, ...many] },
      INDEX,
      /malformed/,
    ],
    ['index and image in one', { ...image, manifests: [] }, IMAGE, /one thing by its type/],
    ['an image that says it is an index', { ...image, mediaType: INDEX }, IMAGE, /one thing/],
    [
      'a chart',
      {
        ...image,
        config: { ...image.config, mediaType: 'application/vnd.cncf.helm.config.v1+json' },
      },
      IMAGE,
      /not a container image/,
    ],
    [
      'a digest of another kind',
      { ...image, config: { ...image.config, digest: 'md5:1' } },
      IMAGE,
      /sha256/,
    ],
    [
      'layers beyond what an overlay takes',
      { ...image, layers: Array.from({ length: 129 }, () => image.config) },
      IMAGE,
      /malformed/,
    ],
    [
      'schema 1',
      { schemaVersion: 1 },
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
      /not supported/,
    ],
    ['a list', [], INDEX, /not JSON/],
  ])('is refused: %s', (_name, document, type, says) => {
    const read = readDocument(JSON.stringify(document), type)
    expect(read.ok ? '' : read.error).toMatch(says)
  })
})

describe('a configuration', () => {
  const config = (inner: unknown, more: object = {}): string =>
    JSON.stringify({ os: 'linux', architecture: 'arm', variant: 'v7', config: inner, ...more })
  const nothing = { platform: 'linux/arm/v7', entrypoint: [], cmd: [], user: '' }

  test.each<readonly [string, string, object]>([
    [
      'all of it',
      config({ Entrypoint: ['a'], Cmd: ['b'], User: 'c' }),
      { entrypoint: ['a'], cmd: ['b'], user: 'c' },
    ],
    ['null for nothing', config({ Entrypoint: null, Cmd: null, User: null }), {}],
    ['nothing', config(null), {}],
    ['other members', config({ Env: ['A=b'], Labels: {} }), {}],
  ])('%s', (_name, text, value) => {
    expect(readConfig(text)).toEqual({ ok: true, value: { ...nothing, ...value } })
  })

  test.each([
    ['a member in another case, which runtimes read', config({ entrypoint: ['a'] })],
    ['the same outside', config({}, { Config: {} })],
    ['a shell line for an ENTRYPOINT', config({ Entrypoint: 'a b' })],
    ['Windows', config({}, { os: 'windows' })],
    ['more words than anybody writes', config({ Cmd: Array.from({ length: 300 }, () => 'a') })],
    ['no JSON', '{'],
  ])('is refused: %s', (_name, text) => {
    expect(readConfig(text)).toMatchObject({ ok: false })
  })
})
