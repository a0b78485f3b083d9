// What is to be done, each key once: who is waiting and asked for again waits once, who is asked for while being worked on
// comes again after that. A key that failed waits longer each time. Keys are those of what is followed, so they are
// bounded as that is; at the bound a key is not taken, and the next look at everything asks for it again.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { DueKeys, type Due } from './due-keys.ts'

export interface WorkQueueOptions {
  /** Keys waiting, being worked on and paused together. */
  readonly most: number
  readonly atOnce: number
  /** Milliseconds of a steady clock. */
  readonly now: () => number
  /** In [0, 1). */
  readonly random: () => number
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  /** Whose a key is: they have turns. Absent: all are one's. */
  readonly ownerOf?: (key: string) => string
}

const SHORTEST_MS = 500
const LONGEST_MS = 5 * 60_000

/** How long a key waits that has failed so often in a row. */
export const retryMs = (failures: number, random: number): number =>
  Math.min(LONGEST_MS, SHORTEST_MS * 2 ** Math.max(0, failures - 1)) * (0.5 + random / 2)

interface Entry {
  state: 'waiting' | 'busy' | 'paused'
  /** Asked for while it was worked on. */
  isAgain: boolean
  failures: number
  /** Of a paused one: until when. */
  untilMs: number
}

/** Those of one owner that wait, in the order in which they came: what has left it is let go of now and then, not each time. */
class Line {
  private keys: string[] = []
  private head = 0

  add(key: string): void {
    this.keys.push(key)
  }

  take(): string | undefined {
    const key = this.keys[this.head]
    if (key === undefined) return undefined
    this.head += 1
    if (this.head > MOST_LEFT && this.head > this.keys.length / 2) {
      this.keys = this.keys.slice(this.head)
      this.head = 0
    }
    return key
  }
}

/** All that wait, by turns between owners: of many of one no other's waits behind each. */
class Lines {
  private readonly ownerOf: (key: string) => string
  /** Whose turn is next stands first; who has none that waits is let go when it is his. */
  private readonly lines = new Map<string, Line>()

  constructor(ownerOf: (key: string) => string) {
    this.ownerOf = ownerOf
  }

  add(key: string): void {
    const owner = this.ownerOf(key)
    const line = this.lines.get(owner) ?? new Line()
    this.lines.set(owner, line)
    line.add(key)
  }

  take(): string | undefined {
    for (const [owner, line] of this.lines) {
      this.lines.delete(owner)
      const key = line.take()
      if (key === undefined) continue
      this.lines.set(owner, line)
      return key
    }
    return undefined
  }

  clear(): void {
    this.lines.clear()
  }
}

/** So many that have left are kept at most beside as many that are there. */
const MOST_LEFT = 64

export class WorkQueue {
  private readonly options: WorkQueueOptions
  private readonly entries = new Map<string, Entry>()
  /** Each key that waits, once. */
  private readonly line: Lines
  /** Each key that is paused, and places of some that were. */
  private readonly paused = new DueKeys()
  /** Of those who have nothing to do. */
  private readonly resting = new Set<() => void>()
  /** Keys that there was no room for, since somebody last began to count them. */
  refused = 0

  constructor(options: WorkQueueOptions) {
    this.options = options
    this.line = new Lines(options.ownerOf ?? (() => ''))
  }

  get size(): number {
    return this.entries.size
  }

  /** `isNews`: something has changed that a key may wait for which has failed; else that one goes on waiting. */
  add(key: string, isNews = true): void {
    const entry = this.entries.get(key)
    if (entry) {
      if (entry.state === 'busy') entry.isAgain = true
      else if (entry.state === 'paused' && isNews) this.wait(key, entry)
    } else if (this.entries.size < this.options.most) {
      this.wait(key, { state: 'waiting', isAgain: false, failures: 0, untilMs: 0 })
    } else {
      this.refused += 1
    }
    for (const wake of this.resting) wake()
  }

  /** Works until the signal is given; `work` says whether it came through. */
  async run(work: (key: string) => Promise<boolean>, signal: AbortSignal): Promise<void> {
    const { atOnce } = this.options
    await Promise.all(Array.from({ length: atOnce }, () => this.worker(work, signal)))
    // Whoever leads next begins with a look at everything.
    this.entries.clear()
    this.line.clear()
    this.paused.clear()
  }

  private wait(key: string, entry: Entry): void {
    entry.state = 'waiting'
    this.entries.set(key, entry)
    this.line.add(key)
  }

  private pause(key: string, entry: Entry): void {
    entry.state = 'paused'
    this.entries.set(key, entry)
    this.paused.add({ key, untilMs: entry.untilMs })
    if (this.paused.size > MOST_LEFT + 2 * this.entries.size) {
      this.paused.keep((due) => this.isPaused(due))
    }
  }

  private isPaused({ key, untilMs }: Due): boolean {
    const entry = this.entries.get(key)
    return entry?.state === 'paused' && entry.untilMs === untilMs
  }

  private async worker(
    work: (key: string) => Promise<boolean>,
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      const next = this.next()
      if (next === undefined) {
        await this.rest(signal)
        continue
      }
      this.done(next, await work(next).catch(() => false))
      // Of many that stand right each waits for nothing: probes, watches and the Lease have their turn all the same.
      await nextTurn()
    }
  }

  private next(): string | undefined {
    const now = this.options.now()
    for (let due = this.paused.take(now); due; due = this.paused.take(now)) {
      const entry = this.isPaused(due) ? this.entries.get(due.key) : undefined
      if (entry) this.wait(due.key, entry)
    }
    const key = this.line.take()
    const entry = key === undefined ? undefined : this.entries.get(key)
    if (!entry) return undefined
    entry.state = 'busy'
    entry.isAgain = false
    return key
  }

  private done(key: string, isDone: boolean): void {
    const entry = this.entries.get(key)
    this.entries.delete(key)
    if (!entry) return
    if (isDone && !entry.isAgain) return
    // Behind the others.
    if (isDone) {
      this.wait(key, { state: 'waiting', isAgain: false, failures: 0, untilMs: 0 })
      return
    }
    const failures = entry.failures + 1
    const untilMs = this.options.now() + retryMs(failures, this.options.random())
    this.pause(key, { state: 'paused', isAgain: false, failures, untilMs })
  }

  /** Until a key comes, or the first pause is over. */
  private async rest(signal: AbortSignal): Promise<void> {
    const { first } = this.paused
    const ms = first ? Math.max(1, Math.min(1000, first.untilMs - this.options.now())) : 1000
    const pause = new AbortController()
    const stop = (): void => pause.abort()
    this.resting.add(stop)
    signal.addEventListener('abort', stop, { once: true })
    await this.options.sleep(ms, pause.signal)
    signal.removeEventListener('abort', stop)
    this.resting.delete(stop)
  }
}
