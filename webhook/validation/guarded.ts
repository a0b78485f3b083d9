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

interface Lookers {
  /** Absent where nobody can read them. */
  readonly guarded: GuardedPods | undefined
  /** Resolves after a time; never keeps the process. */
  readonly sleep: (ms: number) => Promise<unknown>
}

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

const gather = async (
  { turn, pods, policies }: GuardedPods,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly GuardedWorkload[]> => {
  const end = await turn(namespace, signal)
  try {
    const found = new Found()
    for await (const object of policies(namespace, signal)) found.policy(object)
    for await (const object of pods(namespace, signal)) found.pod(object)
    return found.all()
  } finally {
    end()
  }
}

export const lookAtGuarded = async (
  namespace: string,
  { guarded, sleep }: Lookers,
): Promise<Guarded> => {
  if (!guarded) return 'nobody can list its pods here'
  const waiting = new AbortController()
  const late = sleep(MAX_MS).then(() => SLOW)
  const gathered = gather(guarded, namespace, waiting.signal).catch(messageOf)
  try {
    return await Promise.race([gathered, late])
  } finally {
    waiting.abort()
  }
}
