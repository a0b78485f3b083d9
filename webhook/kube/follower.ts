// Follows a collection of the API server: lists it once, watches it from there, and resumes where a
// watch has ended; lists again only where that version is gone, or where there may be room again for what
// had none. After a failure it waits, longer each time. The client library's own informer keeps whole
// objects, stops at an error, and cannot tell a quiet watch from a dead one. Decides nothing.

import type { Log } from '../../shared/log.ts'
import { clusterWords } from './words.ts'

/** What is known of a collection; it bounds itself. */
export interface Store<T> {
  put(item: T): void
  remove(item: T): void
  /** How many objects it had no room for. */
  readonly leftOut: number
}

export interface Change<T> {
  readonly kind: 'put' | 'remove' | 'bookmark'
  readonly version: string
  /** Undefined for a bookmark. */
  readonly item: T | undefined
}

export interface Page<T> {
  readonly items: readonly T[]
  readonly version: string
}

/** The collection itself. */
export interface Source<T> {
  /** All of it, page by page; the last page's version is where to watch from. */
  list(): AsyncIterable<Page<T>>
  /** Resolves when a watch that was opened has ended; rejects where it failed, with `Gone` where its version is no more. */
  watch(version: string, hears: Hears<T>, signal: AbortSignal): Promise<void>
}

export interface Hears<T> {
  opened(): void
  change(change: Change<T>): void
}

/** The version to watch from is no more: everything has to be listed again. */
export class Gone extends Error {}

/** What else is done when something is known: `undefined` when all of it has been listed. */
export type Told<T> = (item: T | undefined) => void

export interface FollowerOptions<T, S extends Store<T>> {
  /** What log and metrics call the collection. */
  readonly resource: string
  readonly source: Source<T>
  readonly empty: () => S
  readonly log: Log
  /** Milliseconds of a steady clock. */
  readonly now: () => number
  /** In [0, 1). */
  readonly random: () => number
  /** Resolves after a time, or at once when the signal is given. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  readonly told?: Told<T> | undefined
}

const SHORTEST_MS = 1000
const LONGEST_MS = 30_000

/** How long to wait after so many failures in a row: from a half of it to all of it, so that replicas part. */
export const pauseMs = (failures: number, random: number): number => {
  const most = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** Math.max(0, failures - 1))
  return most * (0.5 + random / 2)
}

export class Follower<T, S extends Store<T>> {
  private readonly options: FollowerOptions<T, S>
  private readonly abort = new AbortController()
  private store: S | undefined
  private version: string | undefined
  private heardAt: number
  private failures = 0
  /** Something was removed while other objects were left out. */
  private mayHaveRoom = false

  constructor(options: FollowerOptions<T, S>) {
    this.options = options
    this.heardAt = options.now()
  }

  get resource(): string {
    return this.options.resource
  }

  /** What is known; undefined before the first list. */
  current(): S | undefined {
    return this.store
  }

  /** For how long the API server has said nothing of it, bookmarks and opened watches included. */
  ageMs(): number {
    return this.options.now() - this.heardAt
  }

  /** Begins; resolves once the first list is there. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      void this.run(resolve)
    })
  }

  /** Ends it; a list that is under way is left to itself. */
  close(): void {
    this.abort.abort()
  }

  private async run(onListed: () => void): Promise<void> {
    const { random, sleep } = this.options
    const { signal } = this.abort
    while (!signal.aborted) {
      await this.listIfNeeded()
      if (this.store) onListed()
      await this.watchOnce()
      if (!signal.aborted) await sleep(pauseMs(this.failures, random()), signal)
    }
  }

  private async listIfNeeded(): Promise<void> {
    if (this.version !== undefined) return
    const next = this.options.empty()
    try {
      let version: string | undefined
      for await (const page of this.options.source.list()) {
        for (const item of page.items) next.put(item)
        version = page.version
      }
      this.heard()
      this.mayHaveRoom = false
      this.store = next
      this.version = version
      this.options.told?.(undefined)
    } catch (error) {
      this.failed('cannot be listed', error)
    }
  }

  private async watchOnce(): Promise<void> {
    if (this.version === undefined || this.abort.signal.aborted) return
    const hears: Hears<T> = {
      opened: () => {
        this.heard()
        this.failures = 0
      },
      change: (change) => this.take(change),
    }
    try {
      await this.options.source.watch(this.version, hears, this.abort.signal)
    } catch (error) {
      if (error instanceof Gone) this.version = undefined
      this.failed('cannot be watched', error)
    }
    // Not sooner: whoever removes one object after the other would have all of them listed each time.
    if (this.mayHaveRoom) this.version = undefined
  }

  private take({ kind, version, item }: Change<T>): void {
    this.heard()
    this.version = version
    if (item === undefined) return
    if (kind === 'put') this.store?.put(item)
    else if (kind === 'remove') this.removed(item)
    this.options.told?.(item)
  }

  private removed(item: T): void {
    const { store } = this
    store?.remove(item)
    this.mayHaveRoom ||= (store?.leftOut ?? 0) > 0
  }

  private heard(): void {
    this.heardAt = this.options.now()
  }

  private failed(what: string, error: unknown): void {
    if (this.abort.signal.aborted) return
    this.failures += 1
    const { log, resource } = this.options
    log.warn(`${resource} ${what}`, { error: clusterWords(error), failures: this.failures })
  }
}
