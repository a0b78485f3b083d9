import { describe, expect, test } from '@jest/globals'
import {
  EMPTY_INDEX,
  mergeIndexes,
  readImageIndex,
  writeImageIndex,
  type ImageIndex,
} from '../../../shared/image-index.ts'

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`
const record = (word: string) => ({
  'linux/amd64': { entrypoint: [word], cmd: [], user: { name: 'app', uid: 9, gid: 8 } },
})
const index = (tag: string, letter: string): ImageIndex => ({
  version: 1,
  tags: { [tag]: digest(letter) },
  images: { [digest(letter)]: record(letter) },
})

describe('the image index', () => {
  test('is read back as it was written', () => {
    const text = writeImageIndex(index('a:1', 'a'))
    expect(readImageIndex(text.ok ? text.value : '')).toEqual({
      ok: true,
      value: index('a:1', 'a'),
    })
  })

  test('takes a tag over to another digest, and keeps what the old one was', () => {
    const merged = mergeIndexes(index('a:1', 'b'), index('a:1', 'a'))
    expect(merged.tags).toEqual({ 'a:1': digest('a') })
    expect(Object.keys(merged.images)).toEqual([digest('a'), digest('b')])
  })

  test('is the same text in whatever order its parts came', () => {
    const [a, b] = [index('a:1', 'a'), index('b:1', 'b')]
    expect(writeImageIndex(mergeIndexes(a, b))).toEqual(writeImageIndex(mergeIndexes(b, a)))
  })

  test('is refused where a ConfigMap could not hold it', () => {
    const images = Object.fromEntries(
      Array.from({ length: 40 }, (_item, number) => [
        `sha256:${String(number).padStart(64, '0')}`,
        record('x'.repeat(30_000)),
      ]),
    )
    expect(writeImageIndex({ ...EMPTY_INDEX, images })).toMatchObject({
      ok: false,
      error: expect.stringContaining('ConfigMap'),
    })
  })

  test.each([
    ['a uid beyond what kubelets take', { user: { uid: 2_147_483_648 } }],
    ['a uid below zero', { user: { uid: -1 } }],
    ['a word that is none', { entrypoint: [1] }],
    ['a member that does not exist', { user: { id: 1 } }],
  ])('is refused with %s', (_name, image) => {
    const text = JSON.stringify({
      version: 1,
      images: { [digest('a')]: { 'linux/amd64': image } },
    })
    expect(readImageIndex(text).ok).toBe(false)
  })
})
