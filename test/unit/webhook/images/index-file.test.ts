import { describe, expect, test } from '@jest/globals'
import { MAX_INDEX_BYTES } from '../../../../shared/image-index.ts'
import { keepIndex } from '../../../../webhook/images/index-file.ts'
import { fakeText, type Content } from '../../../support/fake-text.ts'
import { keptLog } from '../../../support/kept-log.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`
const indexOf = (word: string): string =>
  JSON.stringify({ version: 1, images: { [DIGEST]: { 'linux/amd64': { entrypoint: [word] } } } })

const follow = () => {
  const { log, lines } = keptLog()
  const { source, put } = fakeText('index.json')
  const file = keepIndex({ source, log })
  const see = async (next: Content): Promise<string | undefined> => {
    put(next)
    await file.refresh()
    return file.current().images[DIGEST]?.['linux/amd64']?.entrypoint[0]
  }
  const levels = (): readonly unknown[] => lines.map((line) => Object(JSON.parse(line)).level)
  return { see, lines, levels }
}

describe('the image index as a file', () => {
  test('is read again when it changes, and told once', async () => {
    const { see, levels } = follow()
    expect(await see(indexOf('a'))).toBe('a')
    expect(await see(indexOf('b'))).toBe('b')
    expect(await see(indexOf('b'))).toBe('b')
    expect(levels()).toEqual(['info', 'info'])
  })

  test.each<readonly [string, Content, string]>([
    ['no JSON', '{', 'it is not JSON'],
    ['another form', '{"version":2}', 'version'],
    ['a digest that is none', '{"version":1,"images":{"sha256:12":{}}}', 'images.sha256:12'],
    ['a member that does not exist', '{"version":1,"image":{}}', 'image'],
    ['more than a ConfigMap holds', ' '.repeat(MAX_INDEX_BYTES + 1), 'exceeds'],
    ['unreadable', { fault: 'it cannot be read' }, 'it cannot be read'],
  ])('%s: the last good one goes on, and the fault is logged once', async (_name, text, says) => {
    const { see, lines, levels } = follow()
    await see(indexOf('a'))
    expect(await see(text)).toBe('a')
    expect(await see(text)).toBe('a')
    expect(levels()).toEqual(['info', 'error'])
    expect(lines[1]).toContain(says)
    expect(await see(indexOf('b'))).toBe('b')
  })

  test('is empty where there is no file, and again when the file is gone', async () => {
    const { see } = follow()
    expect(await see(undefined)).toBeUndefined()
    expect(await see(indexOf('a'))).toBe('a')
    expect(await see(undefined)).toBeUndefined()
  })
})
