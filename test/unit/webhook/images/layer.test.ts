import { describe, expect, test } from '@jest/globals'
import { createHash } from 'node:crypto'
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { BY_HAND, type ReadLimits } from '../../../../webhook/images/read-limits.ts'
import { readLayer, type LayerOptions } from '../../../../webhook/images/layer.ts'
import { cleanPath, findFile, prefixesOf, type LayerView } from '../../../../webhook/images/tree.ts'
import { tarOf, type File } from '../../../support/oci-image.ts'

const WANTED = new Set(['etc', 'etc/passwd', 'usr', 'usr/etc', 'usr/etc/passwd', 'data', 'data/p'])

async function* inPieces(bytes: Buffer, size = 777): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const withMost = (decompressedBytes: number, more: Partial<ReadLimits> = {}): LayerOptions => ({
  wanted: WANTED,
  limits: { ...BY_HAND, decompressedBytes, ...more },
})

const read = (bytes: Buffer, maxDecompressedBytes = 10_000_000): Promise<LayerView> =>
  readLayer(inPieces(bytes), withMost(maxDecompressedBytes))

/** What `/etc/passwd` is in an image of these layers, the lowest first. */
const passwdIn = async (...layers: readonly (readonly File[])[]): Promise<string> => {
  const views = await Promise.all(layers.map(async (files) => read(await tarOf(files))))
  const image = { layers: views.toReversed(), isWhole: true, wanted: WANTED }
  const found = findFile(image, 'etc/passwd')
  return found.kind === 'file' ? Buffer.from(found.content).toString() : found.kind
}

const passwd = (text: string, name = 'etc/passwd'): File => ({ name, text })
const link = (name: string, linkname: string): File => ({ name, type: 'symlink', linkname })
const hard = (name: string, linkname: string): File => ({ name, type: 'link', linkname })
const dir = (name: string): File => ({ name, type: 'directory' })

describe('a file of an image', () => {
  test.each<readonly [string, readonly (readonly File[])[], string]>([
    ['of the only layer', [[passwd('a')]], 'a'],
    ['of the upper layer', [[passwd('a')], [passwd('b')]], 'b'],
    ['of a lower layer', [[passwd('a')], [passwd('x', 'etc/hosts')]], 'a'],
    ['of no layer', [[passwd('x', 'etc/hosts')]], 'missing'],
    ['whose path begins with a dot', [[passwd('a', './etc/passwd')]], 'a'],
    ['whose path begins with a slash', [[passwd('a', '/etc/passwd')]], 'a'],
    ['whose path takes detours', [[passwd('a', 'etc/../etc//./passwd')]], 'a'],
    ['whose path would climb out', [[passwd('a', '../../etc/passwd')]], 'a'],
    ['that stands twice in a layer: the last', [[passwd('a'), passwd('b')]], 'b'],
    ['of a long path before it', [[passwd('x', `${'d/'.repeat(150)}f`), passwd('a')]], 'a'],
    ['whited out above', [[passwd('a')], [passwd('', 'etc/.wh.passwd')]], 'missing'],
    ['whited out in its own layer: not', [[passwd('a'), passwd('', 'etc/.wh.passwd')]], 'a'],
    ['whited out and back', [[passwd('a')], [passwd('', 'etc/.wh.passwd')], [passwd('c')]], 'c'],
    ['whose directory is whited out', [[passwd('a')], [passwd('', '.wh.etc')]], 'missing'],
    ['whose directory is opaque', [[passwd('a')], [passwd('', 'etc/.wh..wh..opq')]], 'missing'],
    ['whose root is opaque', [[passwd('a')], [passwd('', '.wh..wh..opq')]], 'missing'],
    ['beside an opaque mark', [[passwd('a')], [passwd('b'), passwd('', 'etc/.wh..wh..opq')]], 'b'],
    ['beside what an older driver left', [[passwd('a')], [passwd('', 'etc/.wh..wh.plnk')]], 'a'],
    ['whose directory became a file', [[passwd('a')], [passwd('x', 'etc')]], 'missing'],
    [
      'whose directory became a file within the layer',
      [[passwd('a'), passwd('x', 'etc')]],
      'missing',
    ],
    ['whose directory is repeated', [[passwd('a')], [dir('etc/')]], 'a'],
    ['that is a directory', [[dir('etc/passwd/')]], 'missing'],
    ['that is a pipe', [[{ name: 'etc/passwd', type: 'fifo' }]], 'missing'],
    [
      'by a relative link',
      [[link('etc/passwd', '../usr/etc/passwd'), passwd('a', 'usr/etc/passwd')]],
      'a',
    ],
    [
      'by an absolute link',
      [[link('etc/passwd', '/usr/etc/passwd'), passwd('a', 'usr/etc/passwd')]],
      'a',
    ],
    [
      'by a link that climbs out',
      [[link('etc/passwd', '../../../usr/etc/passwd'), passwd('a', 'usr/etc/passwd')]],
      'a',
    ],
    ['by a link of its directory', [[link('etc', 'usr/etc'), passwd('a', 'usr/etc/passwd')]], 'a'],
    [
      'by a link to a newer file',
      [[link('etc/passwd', '/data/p'), passwd('a', 'data/p')], [passwd('b', 'data/p')]],
      'b',
    ],
    ['by a link to nothing', [[link('etc/passwd', '/data/p')]], 'missing'],
    ['by a link to itself', [[link('etc/passwd', 'passwd')]], 'missing'],
    ['by a hard link', [[passwd('a', 'data/p'), hard('etc/passwd', 'data/p')]], 'a'],
    [
      'by a hard link into a lower layer',
      [[passwd('a', 'data/p')], [hard('etc/passwd', './data/p')]],
      'a',
    ],
    [
      'by a hard link, its other name gone since',
      [[passwd('a', 'data/p'), hard('etc/passwd', 'data/p')], [passwd('', 'data/.wh.p')]],
      'a',
    ],
    ['by a hard link to itself', [[hard('etc/passwd', 'etc/passwd')]], 'missing'],
  ])('%s', async (_name, layers, content) => {
    expect(await passwdIn(...layers)).toBe(content)
  })

  test('asks for the next layer while the ones above do not say', async () => {
    const view = await read(await tarOf([passwd('x', 'etc/hosts')]))
    const image = { layers: [view], isWhole: false, wanted: WANTED }
    expect(findFile(image, 'etc/passwd')).toEqual({ kind: 'deeper' })
  })

  test('asks for a path that a link leads to', async () => {
    const view = await read(await tarOf([link('etc/passwd', '/nix/store/passwd')]))
    const image = { layers: [view], isWhole: true, wanted: WANTED }
    expect(findFile(image, 'etc/passwd')).toEqual({ kind: 'elsewhere', path: 'nix' })
  })

  test.each([
    ['./a/../b//c/.', 'b/c', ['b', 'b/c']],
    ['../..', '', []],
    ['/', '', []],
  ])('%s is %j', (path, clean, prefixes) => {
    expect(cleanPath(path)).toBe(clean)
    expect(prefixesOf(clean)).toEqual(prefixes)
  })
})

/** Text that compresses badly. */
const noise = (length: number): string =>
  Array.from({ length: length / 64 }, (_item, number) =>
    createHash('sha256').update(String(number)).digest('hex'),
  ).join('')

describe('a layer', () => {
  const files = [passwd('a'), passwd('x'.repeat(300_000), 'opt/data')]
  const half = (tar: Buffer): readonly [Buffer, Buffer] => [
    tar.subarray(0, 150_001),
    tar.subarray(150_001),
  ]
  // A frame that readers skip: its magic, its length, its content.
  const SKIPPED = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3])

  test.each<readonly [string, (tar: Buffer) => Buffer]>([
    ['as it is', (tar) => tar],
    ['by gzip', (tar) => gzipSync(tar)],
    ['by gzip in two members', (tar) => Buffer.concat(half(tar).map((part) => gzipSync(part)))],
    ['by zstd', (tar) => zstdCompressSync(tar)],
    [
      'by zstd in two frames',
      (tar) => Buffer.concat(half(tar).map((part) => zstdCompressSync(part))),
    ],
    [
      'by zstd, frames to skip around it',
      (tar) => Buffer.concat([SKIPPED, zstdCompressSync(tar), SKIPPED]),
    ],
  ])('is read %s', async (_name, pack) => {
    const packed = pack(await tarOf(files))
    const views = [
      await read(packed),
      await readLayer(inPieces(packed, 1_000_000), withMost(10_000_000)),
    ]
    for (const view of views) expect(view.entries.get('etc/passwd')?.type).toBe('file')
  })

  test.each<readonly [string, (tar: Buffer) => Buffer, RegExp]>([
    ['a tar that is cut', (tar) => tar.subarray(0, 100_000), /end of data/],
    ['gzip that is cut', (tar) => gzipSync(tar).subarray(0, -20), /end of file/],
    ['zstd that is none', () => Buffer.from('28b52ffd' + 'ff'.repeat(14), 'hex'), /./],
    ['zstd that is cut', (tar) => zstdCompressSync(tar).subarray(0, -20), /./],
    ['what is no tar', () => Buffer.from('<html>'.repeat(200)), /tar/],
    [
      'rubbish behind gzip',
      (tar) => Buffer.concat([gzipSync(tar), Buffer.alloc(5000, 7)]),
      /header/,
    ],
    [
      'zeros behind gzip',
      (tar) => Buffer.concat([gzipSync(tar), Buffer.alloc(5000)]),
      /behind its gzip/,
    ],
  ])('is refused: %s', async (_name, spoil, says) => {
    await expect(read(spoil(await tarOf(files)))).rejects.toThrow(says)
  })

  test.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ])('a %s bomb is stopped at its bound', async (_name, compress) => {
    const bomb = compress(await tarOf([passwd('\0'.repeat(20_000_000), 'opt/zeros')]))
    expect(bomb.length).toBeLessThan(100_000)
    await expect(read(bomb, 1_000_000)).rejects.toThrow('more than 1000000 bytes')
  })

  test('a passwd of many megabytes is refused before it is kept', async () => {
    const tar = await tarOf([passwd('x'.repeat(9_000_000))])
    await expect(read(tar)).rejects.toThrow('/etc/passwd in a layer exceeds')
  })

  test.each<readonly [string, (tar: Buffer) => Buffer]>([
    ['plain', (tar) => tar],
    ['gzip', (tar) => gzipSync(tar)],
    ['zstd', (tar) => zstdCompressSync(tar)],
  ])('whoever sends it is let go where the rest is not wanted: %s', async (_name, pack) => {
    const packed = pack(await tarOf([passwd(noise(400_000), 'opt/data')]))
    const { promise: closed, resolve } = Promise.withResolvers<string>()
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      try {
        yield* inPieces(packed)
        while (true) yield packed
      } finally {
        resolve('closed')
      }
    }
    await expect(readLayer(endless(), withMost(100_000))).rejects.toThrow('more than')
    await expect(closed).resolves.toBe('closed')
  })

  test('keeps no whiteout of a path that nobody asks for', async () => {
    const gone = Array.from({ length: 500 }, (_item, at) => passwd('', `srv/${at}/.wh.x`))
    const others = [
      passwd('', 'srv/.wh..wh..opq'),
      passwd('', 'etc/.wh.passwd'),
      passwd('', '.wh.usr'),
    ]
    const { whiteouts, opaque } = await read(await tarOf([...gone, ...others]))
    expect([...whiteouts, ...opaque]).toEqual(['etc/passwd', 'usr'])
  })

  test('whose file is larger than may be held is refused', async () => {
    const tar = await tarOf([passwd('x'.repeat(2000))])
    const options = withMost(10_000_000, { fileBytes: 1000 })
    await expect(readLayer(inPieces(tar), options)).rejects.toThrow(
      '/etc/passwd in a layer exceeds 1000 bytes',
    )
  })

  test('by zstd that refers further back than may be held is refused', async () => {
    const params = { [constants.ZSTD_c_windowLog]: 24 }
    const packed = zstdCompressSync(
      await tarOf([passwd('a'), passwd('x'.repeat(20_000_000), 'opt/data')]),
      { params },
    )
    const most = 30_000_000
    const within = (windowLog: number) =>
      readLayer(inPieces(packed, 65_536), withMost(most, { windowLog }))
    expect((await within(24)).entries.get('etc/passwd')?.type).toBe('file')
    await expect(within(23)).rejects.toThrow()
  })

  test('a fault of whoever sends it is its own', async () => {
    const tar = await tarOf(files)
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield tar.subarray(0, 2000)
      throw new Error('connection reset')
    }
    await expect(readLayer(broken(), withMost(10_000_000))).rejects.toThrow('connection reset')
  })
})
