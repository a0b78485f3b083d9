import { describe, expect, test } from '@jest/globals'
import {
  Follower,
  Gone,
  pauseMs,
  type Hears,
  type Page,
  type Source,
} from '../../../../webhook/kube/follower.ts'
import { keptLog } from '../../../support/kept-log.ts'

/** What one list gives: its pages, or why it fails. */
type List = readonly Page<string>[] | Error
/** What happens in one watch, and how it ends. */
type Act = (hears: Hears<string>) => Error | undefined

/** There is room for three. */
class Words {
  readonly all = new Set<string>()
  leftOut = 0
  put(word: string): void {
    if (this.all.size < 3) this.all.add(word)
    else this.leftOut++
  }
  remove(word: string): void {
    this.all.delete(word)
  }
}

const page = (version: string, ...items: readonly string[]): Page<string> => ({ version, items })

/** Follows a script of lists and watches to its end: what is known then, and what was asked for. */
const follow = async (lists: readonly List[], watches: readonly Act[]) => {
  const { log, lines } = keptLog()
  const asked: string[] = []
  const pauses: number[] = []
  let clock = 0
  let end = (): void => undefined
  const over = new Promise<void>((resolve) => {
    end = resolve
  })
  const [nextList, nextWatch] = [lists[Symbol.iterator](), watches[Symbol.iterator]()]
  const source: Source<string> = {
    async *list() {
      const { value } = nextList.next()
      asked.push('list')
      if (value instanceof Error) throw value
      yield* value ?? []
    },
    watch: (version, hears) => {
      const { value: act } = nextWatch.next()
      asked.push(`watch ${version}`)
      const error = act?.(hears)
      if (!act) {
        follower.close()
        end()
      }
      return error ? Promise.reject(error) : Promise.resolve()
    },
  }
  const ages: number[] = []
  const follower: Follower<string, Words> = new Follower({
    resource: 'words',
    source,
    empty: () => new Words(),
    log,
    now: () => clock,
    random: () => 0,
    sleep: (ms) => {
      pauses.push(ms)
      clock += ms
      ages.push(follower.ageMs())
      return Promise.resolve()
    },
  })
  await follower.start()
  await over
  const known = [...(follower.current()?.all ?? [])]
  return { known, asked, pauses, ages, lines }
}

const put =
  (version: string, ...items: readonly string[]): Act =>
  (hears) => {
    hears.opened()
    for (const item of items) hears.change({ kind: 'put', version, item })
    return undefined
  }

describe('a collection that is followed', () => {
  test.each<[string, readonly List[], readonly Act[], readonly string[], readonly string[]]>([
    [
      'is listed page by page and watched from the last one',
      [[page('3', 'a'), page('4', 'b')]],
      [],
      ['a', 'b'],
      ['list', 'watch 4'],
    ],
    [
      'resumes where a watch has ended',
      [[page('1', 'a')]],
      [put('2', 'b'), put('3', 'c')],
      ['a', 'b', 'c'],
      ['list', 'watch 1', 'watch 2', 'watch 3'],
    ],
    [
      'forgets what is removed',
      [[page('1', 'a', 'b')]],
      [
        (hears) => {
          hears.change({ kind: 'remove', version: '2', item: 'a' })
          return undefined
        },
      ],
      ['b'],
      ['list', 'watch 1', 'watch 2'],
    ],
    [
      'is listed again at the end of a watch where something went and others had had no room',
      [[page('1', 'a', 'b', 'c', 'd')], [page('7', 'b', 'c', 'd')]],
      [
        (hears) => {
          for (const item of ['a', 'x']) hears.change({ kind: 'remove', version: '2', item })
          return undefined
        },
      ],
      ['b', 'c', 'd'],
      ['list', 'watch 1', 'list', 'watch 7'],
    ],
    [
      'moves on by bookmarks',
      [[page('1', 'a')]],
      [
        (hears) => {
          hears.change({ kind: 'bookmark', version: '9', item: undefined })
          return undefined
        },
      ],
      ['a'],
      ['list', 'watch 1', 'watch 9'],
    ],
    [
      'is listed again where its version is no more, and what went meanwhile is gone',
      [[page('1', 'a')], [page('7', 'b')]],
      [() => new Gone('410')],
      ['b'],
      ['list', 'watch 1', 'list', 'watch 7'],
    ],
    [
      'resumes at the same version after another failure',
      [[page('1', 'a')]],
      [() => new Error('reset')],
      ['a'],
      ['list', 'watch 1', 'watch 1'],
    ],
    [
      'is not watched before it was listed',
      [new Error('403'), new Error('403'), [page('5', 'a')]],
      [],
      ['a'],
      ['list', 'list', 'list', 'watch 5'],
    ],
    [
      'keeps what it knew while it cannot be listed again',
      [[page('1', 'a')], new Error('503'), [page('2', 'a')]],
      [() => new Gone('410')],
      ['a'],
      ['list', 'watch 1', 'list', 'list', 'watch 2'],
    ],
  ])('%s', async (_name, lists, watches, ...[known, asked]) => {
    expect(await follow(lists, watches)).toMatchObject({ known, asked })
  })

  test('is asked ever more seldom while it fails, and at once again when a watch opens', async () => {
    const fails = (): Error => new Error('refused')
    const { pauses } = await follow([[page('1')]], [fails, fails, fails, put('2'), fails])
    expect(pauses.slice(0, 5)).toEqual([500, 1000, 2000, 500, 500])
  })

  test('says each failure, and nothing else', async () => {
    const { lines } = await follow([new Error('403'), [page('1')]], [put('2')])
    expect(lines.map((line) => Object(JSON.parse(line)).message)).toEqual([
      'words cannot be listed',
    ])
  })

  test('grows old while nobody is heard, and is young again when a watch opens', async () => {
    const fails = (): Error => new Error('refused')
    const { ages } = await follow([[page('1')]], [fails, fails, put('2')])
    expect(ages.slice(0, 3)).toEqual([500, 1500, 500])
  })
})

describe('the pause', () => {
  test.each([
    [0, 0, 500],
    [1, 0, 500],
    [1, 1, 1000],
    [2, 1, 2000],
    [6, 1, 30_000],
    [5000, 1, 30_000],
  ])('after %d failures, at %d of its range, is %d ms', (failures, random, ms) => {
    expect(pauseMs(failures, random)).toBe(ms)
  })
})
