// Looks now and then, while its replica leads, for what admission has not seen or its owner does not hear of, and tells it:
// page by page, nothing of it kept but a number and, for as long as a look lasts, a bounded part of whose it is.

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { JsonObject } from '../../shared/json.ts'
import type { Log } from '../../shared/log.ts'
import { Room } from '../cluster/room.ts'
import type { Page } from '../kube/follower.ts'
import { clusterWords } from '../kube/words.ts'
import type { Events } from './events.ts'
import type { Overlooked } from './overlooked.ts'
import type { Owners } from './owners.ts'

/** Where a look finds something. */
export interface Beat {
  /** Undefined: nothing is to be looked for. */
  readonly pages: () => AsyncIterable<Page<JsonObject>> | undefined
  readonly judge: (object: JsonObject) => Overlooked | undefined
  /** What the log says of what is found. */
  readonly says: string
  /** Hears how many there are; undefined while nobody knows. */
  readonly found: (count: number | undefined) => void
}

export interface WatchdogOptions {
  readonly beats: readonly Beat[]
  /** Whether everything that a look goes by is known. */
  readonly isReady: () => boolean
  readonly owners: Owners
  readonly events: Events
  readonly log: Log
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

const EVERY_MS = 10 * 60_000
const ASK_MS = 500
/** So many owners are told at one look, so many of one namespace; others when these have put right theirs. */
export const MAX_OWNERS = 2000
export const MAX_NAMESPACE_OWNERS = 200
const MAX_LOGGED = 10

/** What was found, each owner once. */
class Found {
  readonly byOwner = new Map<string, Overlooked>()
  count = 0
  private readonly room = new Room(MAX_OWNERS, MAX_NAMESPACE_OWNERS)

  take(one: Overlooked): void {
    this.count += 1
    const { uid } = one.owner
    if (!this.byOwner.has(uid) && this.room.take(one.namespace, 1)) this.byOwner.set(uid, one)
  }
}

export class Watchdog {
  private readonly options: WatchdogOptions

  constructor(options: WatchdogOptions) {
    this.options = options
  }

  /** Looks until the signal is given. */
  async run(signal: AbortSignal): Promise<void> {
    const { beats, isReady, sleep } = this.options
    while (!isReady() && !signal.aborted) await sleep(ASK_MS, signal)
    while (!signal.aborted) {
      for (const beat of beats) await this.walk(beat, signal)
      await sleep(EVERY_MS, signal)
    }
    // Who leads next knows; two that say it would be counted twice.
    for (const { found } of beats) found(undefined)
  }

  private async walk(beat: Beat, signal: AbortSignal): Promise<void> {
    const { log } = this.options
    try {
      const seen = await this.look(beat, signal)
      if (signal.aborted) return
      beat.found(seen?.count)
      if (seen && seen.count > 0) await this.tellAll(beat, seen, signal)
    } catch (error) {
      if (!signal.aborted) log.warn('a look was not finished', { error: clusterWords(error) })
    }
  }

  /** Undefined where nothing was to be looked for, or it was ended. */
  private async look({ pages, judge }: Beat, signal: AbortSignal): Promise<Found | undefined> {
    const list = pages()
    if (!list) return undefined
    const found = new Found()
    for await (const { items } of list) {
      for (const item of items) {
        if (signal.aborted) return undefined
        const one = judge(item)
        if (one) found.take(one)
        // Whoever makes a pod decides how long it takes: probes, watches and the Lease have their turn.
        await nextTurn()
      }
    }
    return found
  }

  private async tellAll(
    { says }: Beat,
    { count, byOwner }: Found,
    signal: AbortSignal,
  ): Promise<void> {
    const { log } = this.options
    const owners = [...byOwner.values()]
    const some = owners
      .slice(0, MAX_LOGGED)
      .map(({ namespace, owner: { kind, name } }) => `${kind} ${namespace}/${name}`)
    log.warn(says, { count, some: some.join(', ') })
    let untold = 0
    for (const one of owners) {
      await this.tell(one, signal).catch(() => {
        untold += 1
      })
    }
    if (untold > 0 && !signal.aborted) log.warn('not every owner could be told', { untold })
  }

  private async tell({ namespace, owner, told }: Overlooked, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const { owners, events } = this.options
    // Asked anew each time: nothing here says whether what was known still holds.
    const root = await owners.rootOf({ namespace, owner }, () => false, signal)
    if (root) await events.tell(namespace, root, [told(root)], signal)
  }
}
