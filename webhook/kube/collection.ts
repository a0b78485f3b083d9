// A collection of the API as the client library lists and watches it: pages, events and the many
// ends of a watch, made plain for whoever follows it. Decides nothing.

import { isObject, stringAt } from '../../shared/json.ts'
import { clusterWords } from './words.ts'
import { Gone, type Change, type Page, type Source } from './follower.ts'

interface ListRequest {
  readonly limit: number
  readonly _continue?: string
}

interface Listed {
  readonly items: readonly object[]
  readonly metadata?: { readonly _continue?: string; readonly resourceVersion?: string }
}

export interface Collection<T> {
  readonly path: string
  /** Of objects with these labels alone; absent: of all. */
  readonly labelSelector?: string
  /** And these fields. */
  readonly fieldSelector?: string
  readonly list: (request: ListRequest) => Promise<Listed>
  /** What is kept of an object as the wire has it. */
  readonly read: (object: unknown) => T | undefined
}

/** The client library's watch: calls `done` once, with what went wrong if anything did. */
export interface Watcher {
  watch(
    path: string,
    query: Record<string, string | boolean>,
    take: (phase: string, object: unknown) => void,
    done: (error: unknown) => void,
  ): Promise<{ abort(): void }>
}

// Whoever may create an object decides how large it is, up to 1.5 MB: so many are held as text and read at once.
const PAGE = 20

/** All of a collection, page by page. */
async function* pagesOf<T>({
  list,
  read,
}: Pick<Collection<T>, 'list' | 'read'>): AsyncGenerator<Page<T>> {
  let from: string | undefined
  do {
    const { items, metadata } = await list({ limit: PAGE, ...(from ? { _continue: from } : {}) })
    from = metadata?._continue
    // Typed objects as the wire had them, so that one reader serves the list and the watch.
    const found = items.map((item) => read(JSON.parse(JSON.stringify(item))))
    const version = metadata?.resourceVersion ?? ''
    yield { items: found.filter((item) => item !== undefined), version }
  } while (from)
}

const KINDS: ReadonlyMap<string, Change<unknown>['kind']> = new Map([
  ['ADDED', 'put'],
  ['MODIFIED', 'put'],
  ['DELETED', 'remove'],
  ['BOOKMARK', 'bookmark'],
])

const changeOf = <T>(
  phase: string,
  object: unknown,
  read: Collection<T>['read'],
): Change<T> | undefined => {
  const kind = KINDS.get(phase)
  const version = isObject(object) ? stringAt(object, 'metadata', 'resourceVersion') : undefined
  if (!kind || version === undefined) return undefined
  return { kind, version, item: kind === 'bookmark' ? undefined : read(object) }
}

/** Whether an error of the library, or the Status in an event, has that code. */
const hasCode = (error: unknown, code: number): boolean =>
  typeof error === 'object' &&
  error !== null &&
  (('statusCode' in error && error.statusCode === code) || ('code' in error && error.code === code))

// The library ends a watch that has been quiet for half a minute; so it does with one that never opened.
const isQuiet = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'name' in error && error.name === 'TimeoutError'

const watchWith =
  <T>(
    watcher: Watcher,
    { path, labelSelector, fieldSelector, read }: Collection<T>,
  ): Source<T>['watch'] =>
  (version, hears, signal) =>
    new Promise((resolve, reject) => {
      let controller: { abort(): void } | undefined
      let isOver = false
      let failure: unknown
      const stop = (): void => {
        controller?.abort()
        resolve()
      }
      const done = (error: unknown): void => {
        isOver = true
        signal.removeEventListener('abort', stop)
        const reason = failure ?? error
        if (hasCode(reason, 410)) reject(new Gone('its version is no more'))
        else if (reason && !(controller && isQuiet(reason))) reject(new Error(clusterWords(reason)))
        else resolve()
      }
      const take = (phase: string, object: unknown): void => {
        const change = changeOf(phase, object, read)
        if (change) hears.change(change)
        else if (phase === 'ERROR') failure = object
      }
      signal.addEventListener('abort', stop, { once: true })
      const query = {
        resourceVersion: version,
        allowWatchBookmarks: true,
        ...(labelSelector === undefined ? {} : { labelSelector }),
        ...(fieldSelector === undefined ? {} : { fieldSelector }),
      }
      watcher.watch(path, query, take, done).then((opened) => {
        if (isOver) return
        controller = opened
        if (signal.aborted) opened.abort()
        hears.opened()
      }, done)
    })

export const sourceOf = <T>(watcher: Watcher, collection: Collection<T>): Source<T> => ({
  list: () => pagesOf(collection),
  watch: watchWith(watcher, collection),
})
