// Images in a real registry, read as `outrigger images add` reads them: what the index records is
// what a container runtime would make of the image.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { at, isObject, objectsAt, type Json } from '../../../shared/json.ts'
import { createBench, indexIn, type Bench } from '../../support/images-command.ts'
import { buildImage, buildIndex, type File, type ImageSpec } from '../../support/oci-image.ts'
import { startRegistry, type Registry } from '../../support/registry.ts'

let registry: Registry
let bench: Bench
let count = 0

beforeAll(async () => {
  registry = await startRegistry()
})
afterAll(() => registry.stop())
beforeEach(() => {
  bench = createBench()
})
afterEach(() => bench.close())

const plain = () => ({ [registry.host]: { allowPlainHttp: true } })

const push = async (
  spec: ImageSpec,
): Promise<{ readonly image: string; readonly digest: string }> => {
  count += 1
  const digest = await registry.push(`team/app${count}`, '1', await buildImage(spec))
  return { image: `${registry.host}/team/app${count}:1`, digest }
}

const PASSWD = 'root:x:0:0:root:/root:/bin/sh\napp:x:999:998::/home/app:/bin/sh\n'
const passwd = (uid: number): File => ({ name: 'etc/passwd', text: `app:x:${uid}:${uid}\n` })
const NOISE: File = { name: 'opt/data', text: 'x'.repeat(100_000) }

const users: readonly (readonly [string, ImageSpec, object])[] = [
  ['no USER is root', {}, { uid: 0, gid: 0 }],
  ['a number is a number', { config: { User: '1000' } }, { uid: 1000 }],
  ['two numbers', { config: { User: '1000:7' } }, { uid: 1000, gid: 7 }],
  [
    'a name whose passwd stands in the upper layer',
    { config: { User: 'app' }, layers: [[passwd(1)], [passwd(2)]] },
    { name: 'app', uid: 2, gid: 2 },
  ],
  [
    'in a lower one',
    { config: { User: 'app' }, layers: [[{ name: 'etc/passwd', text: PASSWD }], [NOISE], [NOISE]] },
    { name: 'app', uid: 999, gid: 998 },
  ],
  [
    'whited out',
    { config: { User: 'app' }, layers: [[passwd(1)], [{ name: 'etc/.wh.passwd' }]] },
    { name: 'app' },
  ],
  [
    'in a directory that is made anew',
    {
      config: { User: 'app' },
      layers: [[passwd(1)], [{ name: 'etc/.wh..wh..opq' }, { name: 'etc/hosts' }]],
    },
    { name: 'app' },
  ],
  [
    'whited out and written again above',
    { config: { User: 'app' }, layers: [[passwd(1)], [{ name: 'etc/.wh.passwd' }], [passwd(3)]] },
    { name: 'app', uid: 3, gid: 3 },
  ],
  [
    'behind a symbolic link into another layer',
    {
      config: { User: 'app' },
      layers: [
        [{ name: 'usr/share/base/passwd', text: PASSWD }],
        [{ name: 'etc/passwd', type: 'symlink', linkname: '../usr/share/base/passwd' }],
      ],
    },
    { name: 'app', uid: 999, gid: 998 },
  ],
  [
    'by a hard link',
    {
      config: { User: 'app' },
      layers: [
        [
          { name: 'etc/base', text: PASSWD },
          { name: 'etc/passwd', type: 'link', linkname: 'etc/base' },
        ],
      ],
    },
    { name: 'app', uid: 999, gid: 998 },
  ],
  [
    'in zstd layers, its path spelt with a dot',
    {
      config: { User: 'app' },
      layers: [[{ name: './etc/passwd', text: PASSWD }]],
      compression: 'zstd',
    },
    { name: 'app', uid: 999, gid: 998 },
  ],
  [
    'in a plain tar',
    { config: { User: 'app' }, layers: [[passwd(4)]], compression: 'none' },
    { name: 'app', uid: 4, gid: 4 },
  ],
  [
    'with a group by name',
    {
      config: { User: 'app:web' },
      layers: [[{ name: 'etc/group', text: 'web:x:55:\n' }], [passwd(4)]],
    },
    { name: 'app', uid: 4, gid: 55 },
  ],
]

describe('USER', () => {
  test.each(users)('%s', async (_name, spec, user) => {
    const { image, digest } = await push(spec)
    const index = indexIn(await bench.add(plain(), image))
    expect(index.images[digest]).toEqual({ 'linux/amd64': { entrypoint: [], cmd: [], user } })
    expect(index.tags).toEqual({ [image]: digest })
  })

  test('a name that the image does not know is told', async () => {
    const { image } = await push({ config: { User: 'nemo' }, layers: [[passwd(1)]] })
    const { code, stderr } = await bench.add(plain(), image)
    expect(code).toBe(0)
    expect(stderr).toContain('"nemo"')
  })
})

const podOf = (image: string, more = ''): string =>
  `apiVersion: v1
kind: Pod
metadata:
  name: app
  annotations: { outrigger.dev/inject: 'true', outrigger.dev/auth: none }
spec:
  containers:
    - name: server
      image: ${image}
${more}`

const serverIn = (stdout: string): Json | undefined => {
  const pod: unknown = parse(stdout)
  return isObject(pod) ? objectsAt(pod, 'spec', 'containers')[0] : undefined
}

const afterShim = (container: Json | undefined): unknown => {
  const command = at(container, 'command')
  return Array.isArray(command) ? command.slice(command.indexOf('--') + 1) : undefined
}

describe('what runs', () => {
  const config = { Entrypoint: ['/srv', '--stdio'], Cmd: ['--root', '$HOME'], User: '1000' }

  test.each([
    ['only an ENTRYPOINT', { Entrypoint: ['/srv'] }, '', ['/srv'], undefined],
    ['ENTRYPOINT and CMD', config, '', ['/srv', '--stdio', '--root', '$$HOME'], undefined],
    ['ENTRYPOINT, and args for CMD', config, '      args: [mine]\n', ['/srv', '--stdio'], ['mine']],
    ['only a CMD', { Cmd: ['srv', 'x'] }, '', ['srv', 'x'], undefined],
  ])('%s', async (...[, config, more, words, args]) => {
    const { image, digest } = await push({ config })
    const manifest = bench.write('pod.yaml', podOf(image, more))
    const { stdout, code, stderr } = await bench.inject(plain(), '-f', manifest, '--resolve-images')
    expect([code, stderr]).toEqual([0, expect.stringContaining('is pinned to the digest')])
    const server = serverIn(stdout)
    expect(afterShim(server)).toEqual(words)
    expect(at(server, 'args')).toEqual(args)
    expect(at(server, 'image')).toBe(`${image}@${digest}`)
  })

  test('a named user is filled in', async () => {
    const { image } = await push({
      config: { Entrypoint: ['srv'], User: 'app' },
      layers: [[{ name: 'etc/passwd', text: PASSWD }]],
    })
    const manifest = bench.write('pod.yaml', podOf(image))
    const { stdout } = await bench.inject(plain(), '-f', manifest, '--resolve-images')
    expect(at(serverIn(stdout), 'securityContext')).toMatchObject({
      runAsUser: 999,
      runAsGroup: 998,
    })
  })
})

describe('a multi-arch image', () => {
  const spec = (architecture: string, word: string): ImageSpec => ({
    architecture,
    config: { Entrypoint: [word] },
  })

  const pushIndex = async (...specs: readonly ImageSpec[]) => {
    count += 1
    const digest = await registry.push(`team/app${count}`, '1', await buildIndex(specs))
    return { image: `${registry.host}/team/app${count}:1`, digest }
  }

  test('is recorded by the digest of its index, platform by platform', async () => {
    const { image, digest } = await pushIndex(spec('amd64', 'a'), spec('arm64', 'b'))
    const index = indexIn(await bench.add(plain(), image))
    const platforms = Object.entries(index.images[digest] ?? {})
    expect(platforms.map(([name, { entrypoint }]) => [name, entrypoint])).toEqual([
      ['linux/amd64', ['a']],
      ['linux/arm64', ['b']],
    ])
  })

  test('is recorded for one platform alone where that is asked', async () => {
    const { image, digest } = await pushIndex(spec('amd64', 'a'), spec('arm64', 'b'))
    const index = indexIn(await bench.add(plain(), '--platform', 'linux/arm64', image))
    expect(Object.keys(index.images[digest] ?? {})).toEqual(['linux/arm64'])
  })

  test('is denied where the platforms run different commands, with what chooses one', async () => {
    const { image } = await pushIndex(spec('amd64', 'a'), spec('arm64', 'b'))
    const manifest = bench.write('pod.yaml', podOf(image))
    const { code, stderr } = await bench.inject(plain(), '-f', manifest, '--resolve-images')
    expect(code).toBe(1)
    expect(stderr).toContain('nodeSelector kubernetes.io/arch')
  })
})

describe('a tag that moves', () => {
  test('keeps the recorded digest, with a warning, until it is added again', async () => {
    const first = await buildImage({ config: { Entrypoint: ['one'] } })
    const second = await buildImage({ config: { Entrypoint: ['two'] } })
    const image = `${registry.host}/moving:1`
    const [old] = [await registry.push('moving', '1', first)]
    const before = await bench.add(plain(), image)
    const index = bench.write('images.yaml', before.stdout)
    const next = await registry.push('moving', '1', second)

    const manifest = bench.write('pod.yaml', podOf(image))
    const args = ['-f', manifest, '--images', index, '--resolve-images']
    const injected = await bench.inject(plain(), ...args)
    expect(at(serverIn(injected.stdout), 'image')).toBe(`${image}@${old}`)
    expect(injected.stderr).toContain(`has moved to ${next}`)
    expect(injected.stderr).toContain(`outrigger images add ${image}`)

    const again = await bench.add(plain(), '-f', index, image)
    expect(again.stderr).toContain(`has moved from ${old}`)
    expect(indexIn(again).tags).toEqual({ [image]: next })
    expect(Object.keys(indexIn(again).images).sort()).toEqual([old, next].sort())
  })

  test('a registry that is down denies nothing that is known', async () => {
    const other = await startRegistry()
    const built = await buildImage({ config: { Entrypoint: ['one'] } })
    const digest = await other.push('app', '1', built)
    const image = `${other.host}/app:1`
    const registries = { [other.host]: { allowPlainHttp: true } }
    const index = bench.write('images.yaml', (await bench.add(registries, image)).stdout)
    await other.stop()
    const manifest = bench.write('pod.yaml', podOf(image))
    const args = ['-f', manifest, '--images', index, '--resolve-images']
    const { code, stdout, stderr } = await bench.inject(registries, ...args)
    expect(code).toBe(0)
    expect(at(serverIn(stdout), 'image')).toBe(`${image}@${digest}`)
    expect(stderr).toContain('whether the tag has moved is unknown')
  })
})

describe('what cannot be read', () => {
  test('every image that fails is told, and nothing is printed', async () => {
    const { image } = await push({})
    const gone = [`${registry.host}/no/such:1`, `${image.slice(0, -1)}nope`]
    const { code, stdout, stderr } = await bench.add(plain(), image, ...gone)
    expect([code, stdout]).toEqual([1, ''])
    for (const name of gone) expect(stderr).toContain(name)
    expect(stderr).toContain('MANIFEST_UNKNOWN')
  })

  test.each([
    [
      'a host that the configuration does not list',
      {},
      /is not one that the cluster configuration lists/,
    ],
    [
      'plain HTTP that is not allowed',
      { allowPlainHttp: false },
      /cannot be reached: it does not speak TLS/,
    ],
  ])('%s', async (_name, settings, says) => {
    const registries = Object.keys(settings).length === 0 ? {} : { [registry.host]: settings }
    const { image } = await push({})
    const { code, stderr } = await bench.add(registries, image)
    expect(code).toBe(1)
    expect(stderr).toMatch(says)
  })
})
