// Look-ups over an API server and registries in memory.

import { beforeEach, describe, expect, test } from '@jest/globals'
import { EMPTY_INDEX, type ImageIndex } from '../../../../shared/image-index.ts'
import { at } from '../../../../shared/json.ts'
import { fail, ok, type Result } from '../../../../shared/result.ts'
import type { ClusterConfig } from '../../../../webhook/cluster/config.ts'
import { ownerKey } from '../../../../webhook/controller/denied-owners.ts'
import { MAX_NAMESPACE_LOOK_UPS } from '../../../../webhook/controller/look-ups.ts'
import { MAX_NAMESPACE_WAITING } from '../../../../webhook/controller/owner-queue.ts'
import { ownerPath } from '../../../../webhook/controller/owners.ts'
import type { Reference } from '../../../../webhook/images/reference.ts'
import { IndexApi } from '../../../support/index-api.ts'
import {
  deniedSet,
  lookingConfig,
  lookUpsOver,
  makeDenied,
  statefulSet,
} from '../../../support/looked-up.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`
const OTHER = `sha256:${'b'.repeat(64)}`

const found = (reference: Reference): ImageIndex => ({
  version: 1,
  tags:
    reference.tag === undefined
      ? {}
      : { [`${reference.host}/${reference.repository}:${reference.tag}`]: DIGEST },
  images: { [reference.digest ?? DIGEST]: { 'linux/amd64': { entrypoint: ['serve'], cmd: [] } } },
})

describe('images that pods are denied for', () => {
  let api: IndexApi
  let config: ClusterConfig
  let abort: AbortController
  let lines: string[]
  let read: Reference[]
  let opened: { readonly namespace: string; readonly pullSecrets: readonly string[] }[]
  let closed: number
  /** When it was told to follow no more. */
  let ends: string[]
  let counts: string[]
  let answer: (reference: Reference) => Promise<Result<ImageIndex, string>>

  beforeEach(() => {
    api = new IndexApi()
    config = lookingConfig(true, { 'r.example': {} })
    abort = new AbortController()
    lines = []
    read = []
    opened = []
    closed = 0
    ends = []
    counts = []
    answer = (reference) => Promise.resolve(ok(found(reference)))
  })

  const make = (namespace: string, name: string, image: string): string =>
    makeDenied(api, namespace, name, image)

  /** For so many turns: by then nothing is left to do but what waits after a failure. */
  const run = async (keys: readonly string[], turns = 50): Promise<void> => {
    let slept = 0
    const lookUps = lookUpsOver({
      api,
      keys,
      config: () => config,
      sleep: async () => {
        slept += 1
        if (slept > turns) abort.abort()
        await new Promise((resolve) => setImmediate(resolve))
      },
      timeout: () => new AbortController().signal,
      write: (line) => void lines.push(line),
      ended: () => ends.push(abort.signal.aborted ? 'at the end' : 'while it leads'),
      reader: (puller) => {
        opened.push(puller)
        return {
          read: (reference) => {
            read.push(reference)
            return answer(reference)
          },
          digestOf: () => Promise.resolve(ok(undefined)),
          close: () => {
            closed += 1
          },
        }
      },
      counted: (result) => counts.push(result),
    })
    await lookUps.run(abort.signal)
  }
  const told = (): readonly unknown[] => api.events.map(({ reason, message }) => [reason, message])

  test('are read once and written to the index, by the pull secrets of their pods', async () => {
    await run([make('team', 'a', 'r.example/app:1'), make('team', 'b', 'r.example/app:1')])
    expect(api.index.tags).toEqual({ 'r.example/app:1': DIGEST })
    expect(read).toHaveLength(1)
    expect(opened).toEqual([{ namespace: 'team', pullSecrets: ['pull'] }])
    expect([closed, ends, counts, told()]).toEqual([1, ['at the end'], ['read'], []])
  })

  test('stay what they were recorded as', async () => {
    api.put({
      'index.json': JSON.stringify({ version: 1, tags: { 'r.example/app:1': OTHER }, images: {} }),
    })
    await run([make('team', 'a', 'r.example/app:1')])
    expect(read).toMatchObject([{ tag: undefined, digest: OTHER }])
    expect(api.index.tags).toEqual({ 'r.example/app:1': OTHER })
    expect(Object.keys(api.index.images)).toEqual([OTHER])
  })

  test('are told to whoever owns the pods where they cannot be read, and nothing is written', async () => {
    answer = () => Promise.resolve(fail('the registry r.example is not one\nthat is listed'))
    await run([make('team', 'a', 'r.example/app:1')])
    expect(told()).toEqual([
      [
        'ImageUnread',
        'its image r.example/app:1 could not be looked up, so that nobody knows its command: the registry r.example is not one that is listed. Write `command`, or have `outrigger images add --apply` read it',
      ],
    ])
    expect(at(api.events[0], 'involvedObject')).toMatchObject({ kind: 'StatefulSet', name: 'a' })
    expect([api.index, counts]).toEqual([EMPTY_INDEX, ['failed']])
    expect(read).toHaveLength(1)
  })

  test('whose name is none are told so with what is wrong, and no registry is asked', async () => {
    await run([make('team', 'a', 'r.example/App:1')])
    expect(JSON.stringify(told())).toContain(
      'is not an image: its name is not one of lower-case words between slashes. Write `command`',
    )
    expect([opened, counts]).toEqual([[], []])
  })

  test.each<[string, () => void]>([
    ['the owner is gone', () => api.objects.clear()],
    [
      'another has its name',
      () => {
        const other = {
          ...statefulSet('r.example/app:1', 'a'),
          metadata: { name: 'a', uid: 'u-2' },
        }
        api.objects.set(ownerPath(deniedSet('team', 'a')), other)
      },
    ],
    [
      'the floor does not ask for it',
      () => {
        config = lookingConfig(false)
      },
    ],
  ])('are nobody’s business where %s', async (_name, change) => {
    const key = make('team', 'a', 'r.example/app:1')
    change()
    await run([key])
    expect([read, api.events, api.index]).toEqual([[], [], EMPTY_INDEX])
  })

  test('of a floor that stops asking are followed no more', async () => {
    answer = () => {
      config = lookingConfig(false)
      return Promise.resolve(fail('gone'))
    }
    await run([make('team', 'a', 'r.example/app:1')])
    expect(ends).toEqual(['while it leads'])
  })

  test('of one namespace are so many within an hour', async () => {
    answer = () => Promise.resolve(fail('no'))
    const keys = Array.from({ length: MAX_NAMESPACE_LOOK_UPS + 5 }, (_, n) =>
      make('team', `a${n}`, `r.example/app:${n}`),
    )
    await run([...keys, make('other', 'b', 'r.example/app:b')], 1000)
    const others = opened.filter(({ namespace }) => namespace === 'other')
    expect([opened.length - others.length, others.length]).toEqual([MAX_NAMESPACE_LOOK_UPS, 1])
    expect(JSON.stringify(told())).toContain('too many images were looked up within an hour')
  })

  test('of registries that nobody is to ask take none of those', async () => {
    answer = ({ host }) => Promise.resolve(fail(`the registry ${host} is not one that is listed`))
    const keys = Array.from({ length: MAX_NAMESPACE_LOOK_UPS + 5 }, (_, n) =>
      make('team', `a${n}`, `unlisted.example/app:${n}`),
    )
    await run([...keys, make('team', 'b', 'r.example/app:b')], 1000)
    expect(read.filter(({ host }) => host === 'r.example')).toHaveLength(1)
    expect(JSON.stringify(told())).not.toContain('too many images')
  })

  test('of one namespace come one at a time, and hold up no other’s', async () => {
    const slow = Promise.withResolvers<void>()
    abort.signal.addEventListener('abort', () => slow.resolve(), { once: true })
    answer = async (reference) => {
      if (reference.repository === 'slow') await slow.promise
      return ok(found(reference))
    }
    const keys = [make('team', 'a', 'r.example/slow:1'), make('team', 'b', 'r.example/app:1')]
    await run([...keys, make('other', 'c', 'r.example/app:2')])
    // The second of that namespace waits, by a clock that stands still.
    expect(read.map(({ repository, tag }) => `${repository}:${tag}`)).toEqual(['slow:1', 'app:2'])
  })

  test('come by turns between namespaces: the second of one waits for no other’s place', async () => {
    const [other, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    abort.signal.addEventListener('abort', () => second.resolve(), { once: true })
    answer = async (reference) => {
      if (reference.tag === 'first') await other.promise
      if (reference.tag === 'second') second.resolve()
      if (reference.tag === 'other') {
        other.resolve()
        await second.promise
      }
      return ok(found(reference))
    }
    const own = ['first', 'second'].map((tag) => make('team', tag, `r.example/app:${tag}`))
    await run([...own, make('other', 'c', 'r.example/app:other')])
    expect(read.map(({ tag }) => tag)).toEqual(['first', 'other', 'second'])
  })

  test('of owners that there may not be wait so many, and are in no other’s way', async () => {
    const keys = Array.from({ length: MAX_NAMESPACE_WAITING + 5 }, (_, n) => {
      const denied = deniedSet('team', `a${n}`)
      api.objects.set(ownerPath(denied), 500)
      return ownerKey(denied)
    })
    await run([...keys, make('other', 'b', 'r.example/app:1')], 1000)
    const asked = new Set(api.asked.filter((path) => path.includes('/namespaces/team/')))
    expect([asked.size, read.length]).toEqual([MAX_NAMESPACE_WAITING, 1])
  })

  test('that have the API server fail are tried again, and that is logged', async () => {
    const key = make('team', 'a', 'r.example/app:1')
    api.objects.set(ownerPath(deniedSet('team', 'a')), 500)
    await run([key])
    expect(lines.join('')).toContain('images could not be looked up')
    expect(read).toEqual([])
  })
})
