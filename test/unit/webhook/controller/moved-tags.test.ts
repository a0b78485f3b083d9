// Tags that have moved, over an API server and registries in memory.

import { beforeEach, describe, expect, test } from '@jest/globals'
import type { ImageIndex } from '../../../../shared/image-index.ts'
import { createLog } from '../../../../shared/log.ts'
import { fail, ok, type Result } from '../../../../shared/result.ts'
import { FoundImages } from '../../../../webhook/controller/found-images.ts'
import { MAX_NAMESPACE_READ, MovedTags } from '../../../../webhook/controller/moved-tags.ts'
import type { Reference } from '../../../../webhook/images/reference.ts'
import { IndexApi } from '../../../support/index-api.ts'
import { lookingConfig } from '../../../support/looked-up.ts'

const OLD = `sha256:${'a'.repeat(64)}`
const NEW = `sha256:${'b'.repeat(64)}`

const at = (tag: string, digest: string): ImageIndex => ({
  version: 1,
  tags: { [`r.example/app:${tag}`]: digest },
  images: { [digest]: { 'linux/amd64': { entrypoint: ['serve'], cmd: [] } } },
})

describe('tags that were found', () => {
  const { signal } = new AbortController()
  let api: IndexApi
  let index: FoundImages
  let read: string[]
  let lines: string[]
  let opened: number
  let isAsked: boolean
  let digestOf: (reference: Reference) => Result<string | undefined, string>

  beforeEach(() => {
    api = new IndexApi()
    index = new FoundImages(api.requests, 'outrigger-system')
    read = []
    lines = []
    opened = 0
    isAsked = true
    digestOf = () => ok(NEW)
  })

  /** So many looks at all of them. */
  const look = async (times = 1): Promise<void> => {
    const abort = new AbortController()
    let slept = 0
    const moved = new MovedTags({
      log: createLog({ level: 'info', write: (line) => void lines.push(line), now: () => 0 }),
      now: () => 0,
      sleep: () => {
        slept += 1
        if (slept > times) abort.abort()
        return Promise.resolve()
      },
      config: () => lookingConfig(isAsked),
      index,
      timeout: () => signal,
      reader: ({ pullSecrets }) => {
        expect(pullSecrets).toEqual([])
        opened += 1
        return {
          digestOf: (reference) => Promise.resolve(digestOf(reference)),
          read: ({ tag = '' }) => {
            read.push(tag)
            return Promise.resolve(ok(at(tag, NEW)))
          },
          close: () => {
            opened -= 1
          },
        }
      },
    })
    await moved.run(abort.signal)
  }

  test('lead where they do by now, and are read once', async () => {
    await index.add('team', at('1', OLD), signal)
    await look(3)
    expect(api.index).toEqual(at('1', NEW))
    expect([read, opened]).toEqual([['1'], 0])
  })

  test.each<[string, () => void]>([
    ['have not moved', () => void (digestOf = () => ok(OLD))],
    ['may not be read', () => void (digestOf = () => fail('status 401'))],
    ['have a registry that does not say', () => void (digestOf = () => ok(undefined))],
    ['the floor asks for no more', () => void (isAsked = false)],
  ])('stay as they are where they %s', async (_name, change) => {
    await index.add('team', at('1', OLD), signal)
    change()
    await look()
    expect([api.index, read, opened]).toEqual([at('1', OLD), [], 0])
  })

  test('and recorded by somebody are his', async () => {
    api.put({ 'index.json': JSON.stringify(at('1', OLD)) })
    await look()
    expect([api.index, read]).toEqual([at('1', OLD), []])
  })

  test('of one namespace are read so often within an hour', async () => {
    for (let n = 0; n < MAX_NAMESPACE_READ + 3; n += 1)
      await index.add('team', at(`${n}`, OLD), signal)
    await index.add('other', at('last', OLD), signal)
    await look()
    expect(read).toHaveLength(MAX_NAMESPACE_READ + 1)
    expect(read).toContain('last')
  })

  test('are not looked at where the index is broken, and that is logged', async () => {
    api.put({ 'index.json': '{' })
    await look()
    expect(lines.join('')).toContain('tags were not all looked at')
  })
})
