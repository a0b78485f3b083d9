// Looks at whom a NetworkPolicy of a namespace may be about: its injected pods by their labels, and the policies that we keep for
// them. As long as whoever waits for the answer can. Never throws, decides nothing.

import { isSame, objectAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { messageOf } from '../../shared/message.ts'
import { SERVER_LABEL } from '../../shared/names.ts'
import type { GuardedPods } from '../cluster/guarded-pods.ts'
import { stringsOf } from '../cluster/namespace.ts'
import { companionName } from '../cluster/companion-name.ts'
import type { Labels } from '../companions/other-policy.ts'
import { ownSelector } from '../companions/policy.ts'
import type { GuardedWorkload } from '../companions/policy-write.ts'
import { isOver } from '../inject/pod.ts'

/** Or why nobody knows. */
export type Guarded = readonly GuardedWorkload[] | string

/** Of both together. */
const MAX_OBJECTS = 2000
/** Of what is kept of them. */
const MAX_TEXT = 1_000_000
/** The API server waits 5 s for the whole. */
const MAX_MS = 2000
const SLOW = 'it takes too long to list its pods, or other namespaces are listed first; try again'
const MANY = `there are more than ${MAX_OBJECTS} injected pods and policies in it, or more in them than is compared`

/** What there is so far. */
class Found {
  private readonly pods = new Map<string, Map<string, Labels>>()
  private readonly specs = new Map<string, JsonObject>()
  private objects = 0
  private text = 0

  pod(object: JsonObject): void {
    this.count()
    const labels = stringsOf(objectAt(object, 'metadata', 'labels'))
    const server = labels[SERVER_LABEL]
    if (isOver(object) || server === undefined) return
    const key = JSON.stringify(labels)
    const own = this.pods.get(server) ?? new Map<string, Labels>()
    this.pods.set(server, own)
    if (own.has(key)) return
    this.take(key.length)
    own.set(key, labels)
  }

  /** Somebody's copy under another name, or about other pods, is none of ours. */
  policy(object: JsonObject): void {
    this.count()
    const server = stringAt(object, 'metadata', 'labels', SERVER_LABEL)
    if (server === undefined || stringAt(object, 'metadata', 'name') !== companionName(server))
      return
    const spec = objectAt(object, 'spec')
    if (!isSame(spec['podSelector'], ownSelector(server))) return
    this.take(JSON.stringify(spec).length)
    this.specs.set(server, spec)
  }

  all(): readonly GuardedWorkload[] {
    return [...new Set([...this.pods.keys(), ...this.specs.keys()])].map((server) => ({
      server,
      pods: [...(this.pods.get(server)?.values() ?? [])],
      spec: this.specs.get(server),
    }))
  }

  private count(): void {
    this.objects += 1
    if (this.objects > MAX_OBJECTS) throw new Error(MANY)
  }

  private take(length: number): void {
    this.text += length
    if (this.text > MAX_TEXT) throw new Error(MANY)
  }
}

/** A look that waits for its turn. */
interface Look {
  readonly found: Promise<Guarded>
  readonly end: AbortController
  /** How many wait for it. */
  waiting: number
}

/** What is found of a namespace is the same for all who ask before a look at it begins: they have it in common, so that a crowd
 * of them takes one turn. There are no more than somebody waits for. */
export class GuardedLooks {
  private readonly guarded: GuardedPods
  /** Those that have not begun, by namespace. */
  private readonly next = new Map<string, Look>()

  constructor(guarded: GuardedPods) {
    this.guarded = guarded
  }

  /** `sleep` resolves after a time, and never keeps the process. */
  async at(namespace: string, sleep: (ms: number) => Promise<unknown>): Promise<Guarded> {
    const look = this.next.get(namespace) ?? this.put(namespace)
    look.waiting += 1
    const late = sleep(MAX_MS).then(() => SLOW)
    try {
      return await Promise.race([look.found, late])
    } finally {
      look.waiting -= 1
      if (look.waiting === 0) this.leave(namespace, look)
    }
  }

  private put(namespace: string): Look {
    const end = new AbortController()
    const look = { found: this.gather(namespace, end.signal).catch(messageOf), end, waiting: 0 }
    this.next.set(namespace, look)
    return look
  }

  private leave(namespace: string, look: Look): void {
    look.end.abort()
    if (this.next.get(namespace) === look) this.next.delete(namespace)
  }

  private async gather(
    namespace: string,
    signal: AbortSignal,
  ): Promise<readonly GuardedWorkload[]> {
    const { turn, pods, policies } = this.guarded
    const end = await turn(namespace, signal)
    // Who comes from now on may know of what is not seen any more.
    this.next.delete(namespace)
    try {
      const found = new Found()
      for await (const object of policies(namespace, signal)) found.policy(object)
      for await (const object of pods(namespace, signal)) found.pod(object)
      return found.all()
    } finally {
      end()
    }
  }
}
