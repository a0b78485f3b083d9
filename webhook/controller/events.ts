// What the owner of a workload is told, as Events on it: each thing once an hour, as long as Kubernetes keeps them. Bounded in
// how many are written within that, and at once: what is beyond waits until there is room again.

import type { Log } from '../../shared/log.ts'
import { Room } from '../cluster/room.ts'
import type { Owner } from '../companions/member.ts'
import { clusterWords } from '../kube/words.ts'
import type { Requests } from '../kube/requests.ts'

export interface Told {
  readonly reason: string
  readonly message: string
}

const AGAIN_MS = 3_600_000
/** Of one workload. */
const MAX_AT_ONCE = 20
/** Of all workloads together, and of those of one namespace, within an hour. */
export const MAX_TOLD = 20_000
export const MAX_NAMESPACE_TOLD = 4000
/** The API server takes no longer ones. */
const MAX_MESSAGE = 1024

export interface EventsOptions {
  readonly requests: Requests
  readonly log: Log
  readonly now: () => number
  readonly wallMs: () => number
  readonly randomName: () => string
  /** Which process says so. */
  readonly identity: string
}

const eventOf = (
  { randomName, wallMs, identity }: EventsOptions,
  namespace: string,
  owner: Owner,
  { reason, message }: Told,
): string => {
  const time = new Date(wallMs()).toISOString().replace(/\.\d+Z$/, 'Z')
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `outrigger.${randomName()}`, namespace },
    involvedObject: { ...owner, namespace },
    reason,
    message: message.slice(0, MAX_MESSAGE),
    type: 'Warning',
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
    source: { component: 'outrigger-controller' },
    reportingComponent: 'outrigger-controller',
    reportingInstance: identity,
  })
}

export class Events {
  private readonly options: EventsOptions
  /** What was told within the last hour, the oldest first. */
  private readonly told = new Map<string, { readonly atMs: number; readonly namespace: string }>()
  private readonly room = new Room(MAX_TOLD, MAX_NAMESPACE_TOLD)

  constructor(options: EventsOptions) {
    this.options = options
  }

  /** Never fails: nothing depends on it. */
  async tell(
    namespace: string,
    owner: Owner,
    said: readonly Told[],
    signal: AbortSignal,
  ): Promise<void> {
    for (const told of said.slice(0, MAX_AT_ONCE)) {
      const key = `${namespace} ${owner.uid} ${told.reason} ${told.message}`
      if (this.isNews(namespace, key)) await this.write(namespace, owner, told, signal)
    }
  }

  private isNews(namespace: string, key: string): boolean {
    const atMs = this.options.now()
    for (const [old, { atMs: toldMs, namespace: of }] of this.told) {
      if (atMs - toldMs < AGAIN_MS) break
      this.told.delete(old)
      this.room.release(of, 1)
    }
    if (this.told.has(key) || !this.room.take(namespace, 1)) return false
    this.told.set(key, { atMs, namespace })
    return true
  }

  private async write(
    namespace: string,
    owner: Owner,
    told: Told,
    signal: AbortSignal,
  ): Promise<void> {
    const { log, requests } = this.options
    const workload = `${owner.kind} ${namespace}/${owner.name}`
    log.warn('told', { workload, reason: told.reason, cause: told.message })
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`
    const body = eventOf(this.options, namespace, owner, told)
    try {
      await requests.write({ method: 'POST', path, body }, signal)
    } catch (error) {
      log.warn('an Event could not be written', { workload, error: clusterWords(error) })
    }
  }
}
