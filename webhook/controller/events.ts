// What the owner of a workload is told, as Events on it: each thing once an hour, as long as Kubernetes keeps them. Bounded in
// what is remembered and in how many are written at once; what is beyond that is in the log.

import type { Log } from '../../shared/log.ts'
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
const MAX_REMEMBERED = 10_000
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
  private readonly toldMs = new Map<string, number>()

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
      const key = `${owner.uid} ${told.reason} ${told.message}`
      const nowMs = this.options.now()
      if (nowMs - (this.toldMs.get(key) ?? -Infinity) < AGAIN_MS) continue
      if (this.toldMs.size >= MAX_REMEMBERED) this.toldMs.clear()
      this.toldMs.set(key, nowMs)
      await this.write(namespace, owner, told, signal)
    }
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
