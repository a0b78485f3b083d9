// The controller: follows what companions depend on and keeps them right while it leads. Its followers run in every replica,
// so that whoever leads next knows the cluster at once; nothing is written by who does not lead.

import { objectsAt, numberAt, stringsAt, type JsonObject } from '../../shared/json.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import type { ApiServerPlace } from '../companions/reach.ts'
import type { ControllerKube } from '../kube/client.ts'
import { clusterWords } from '../kube/words.ts'
import type { Followed, Tools } from './followed.ts'
import type { Elector } from './lease.ts'
import { keyOf, placeOf } from './members.ts'
import type { Known } from './known.ts'
import { Reconciler, type ReconcileOptions } from './reconcile.ts'
import type { ReplicaKeys } from './replica-keys.ts'
import type { WorkQueue } from './work-queue.ts'

const SLICE = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes'

/** The API server's own addresses, which it writes there itself. */
const addressesIn = (slice: JsonObject): readonly ApiServerPlace[] => {
  const ports = objectsAt(slice, 'ports').flatMap((port) => numberAt(port, 'port') ?? [])
  return objectsAt(slice, 'endpoints')
    .flatMap((endpoint) => stringsAt(endpoint, 'addresses') ?? [])
    .flatMap((address) => ports.map((port) => ({ address, port })))
}

export interface ControllerOptions
  extends
    Pick<
      ReconcileOptions,
      | 'requests'
      | 'owners'
      | 'events'
      | 'accounts'
      | 'counted'
      | 'foreign'
      | 'opened'
      | 'leftoverMs'
    >,
    Tools {
  readonly kube: Pick<ControllerKube, 'namespaces' | 'services'>
  readonly followed: Followed
  readonly replicaKeys: Pick<ReplicaKeys, 'begin' | 'keep'>
  readonly queue: WorkQueue
  readonly config: () => ClusterConfig
  readonly reconciled: (isDone: boolean) => void
}

/** Everything is looked at so often, and soon after something that much depends on. */
const LOOK_MS = 5 * 60_000
const SOON_MS = 5000
const ASK_MS = 500
/** Of more than so many it is everything. */
const MAX_NAMESPACES = 1000
/** A watch is opened anew after half a minute without news: one that was heard of so long ago is none. */
const DEAF_MS = 10 * 60_000

export class Controller {
  private readonly options: ControllerOptions
  private readonly reconciler: Reconciler
  /** As it said last; empty before it has. */
  private apiServer: readonly ApiServerPlace[] = []
  /** When everything is to be looked at, and when the API server is asked again that did not say its addresses. */
  private lookAtMs = 0
  private askAtMs = 0
  /** The namespaces of which each workload is, and when. */
  private readonly namespaces = new Set<string>()
  private lookInAtMs = 0

  constructor(options: ControllerOptions) {
    this.options = options
    this.reconciler = new Reconciler({ ...options, known: this.known() })
  }

  /** Whether all that is followed has been listed. */
  get isListed(): boolean {
    return this.followers().every((follower) => follower.current() !== undefined)
  }

  followers() {
    const { kube, followed } = this.options
    const { pods, policies, ownServices, otherPolicies } = followed
    return [kube.namespaces, kube.services, pods, policies, ownServices, otherPolicies] as const
  }

  /** Why it is not ready. */
  weakness(): string | undefined {
    if (!this.isListed) return 'not everything is listed yet'
    const deaf = this.followers().filter((each) => each.ageMs() > DEAF_MS)
    const resources = deaf.map(({ resource }) => resource).join(', ')
    return deaf.length === 0 ? undefined : `nothing is heard of ${resources}`
  }

  /** Something has changed that any workload may depend on. */
  lookSoon(): void {
    this.lookAtMs = Math.min(this.lookAtMs, this.options.now() + SOON_MS)
  }

  /** Something has changed that any workload of a namespace may depend on. */
  lookSoonIn(namespace: string): void {
    if (this.namespaces.size >= MAX_NAMESPACES) return this.lookSoon()
    if (this.namespaces.size === 0) this.lookInAtMs = this.options.now() + SOON_MS
    this.namespaces.add(namespace)
  }

  /** Works until the signal is given. */
  async lead(signal: AbortSignal): Promise<void> {
    const { queue, reconciled, log, sleep, replicaKeys } = this.options
    this.reconciler.begin()
    replicaKeys.begin()
    while (!this.isListed && !signal.aborted) await sleep(ASK_MS, signal)
    this.lookAtMs = 0
    this.namespaces.clear()
    // What was known when this one led before may be long past.
    this.apiServer = []
    await this.lookOnce(signal)
    const looking = this.look(signal)
    const work = async (key: string): Promise<boolean> => {
      try {
        const replicated = await this.reconciler.reconcile(key, signal)
        if (replicated) await replicaKeys.keep(replicated, signal)
        reconciled(true)
        return true
      } catch (error) {
        if (!signal.aborted) {
          reconciled(false)
          log.warn('a workload could not be put right', { key, error: clusterWords(error) })
        }
        return false
      }
    }
    await queue.run(work, signal)
    await looking
  }

  private async look(signal: AbortSignal): Promise<void> {
    const { sleep } = this.options
    while (!signal.aborted) {
      await sleep(ASK_MS, signal)
      await this.lookOnce(signal)
      if (!signal.aborted) this.lookIn()
    }
  }

  /** At the workloads of namespaces in which something has changed. */
  private lookIn(): void {
    const { queue, followed, now } = this.options
    if (this.namespaces.size === 0 || now() < this.lookInAtMs) return
    for (const key of followed.pods.current()?.keys() ?? []) {
      if (this.namespaces.has(placeOf(key)[0])) queue.add(key, false)
    }
    this.namespaces.clear()
  }

  private async lookOnce(signal: AbortSignal): Promise<void> {
    const { now } = this.options
    const isDue = now() >= this.lookAtMs
    if (signal.aborted || (!isDue && now() < this.askAtMs)) return
    if (isDue) this.lookAtMs = now() + LOOK_MS
    const isNews = await this.askApiServer(signal)
    // The queue forgets everything when this ends.
    if (!signal.aborted && (isDue || isNews)) this.askAll(isNews)
  }

  /** Whether they are others than before; where it does not say, those go on. */
  private async askApiServer(signal: AbortSignal): Promise<boolean> {
    const { requests, log, now } = this.options
    try {
      const slice = await requests.get(SLICE, signal)
      const places = addressesIn(slice ?? {})
      if (places.length === 0) throw new Error('there are none')
      const isNews = JSON.stringify(places) !== JSON.stringify(this.apiServer)
      this.apiServer = places
      this.askAtMs = Number.POSITIVE_INFINITY
      return isNews
    } catch (error) {
      this.askAtMs = now() + SOON_MS
      if (!signal.aborted) {
        log.warn('the API server does not say its addresses', { error: clusterWords(error) })
      }
      return false
    }
  }

  private askAll(isNews: boolean): void {
    const { queue, kube, followed, foreign } = this.options
    queue.refused = 0
    const standing = [followed.policies, followed.ownServices]
    const keys = new Set([
      ...(followed.pods.current()?.keys() ?? []),
      ...standing.flatMap((follower) => follower.current()?.keys() ?? []),
      // Of whose workload nothing else may be left.
      ...foreign.keys(),
    ])
    for (const key of keys) queue.add(key, isNews)
    const namespaces = new Set([...keys].map((key) => placeOf(key)[0]))
    for (const name of kube.namespaces.current()?.names() ?? []) namespaces.add(name)
    for (const name of namespaces) queue.add(keyOf(name, ''), isNews)
  }

  private known(): Known {
    const { kube, followed } = this.options
    const { pods, policies, ownServices, otherPolicies } = followed
    const ofKind = (kind: string) => (kind === 'Service' ? ownServices : policies).current()
    return {
      namespace: (name) => kube.namespaces.current()?.get(name),
      members: (key) => pods.current()?.of(key) ?? [],
      waiting: (key) => pods.current()?.waiting(key) ?? [],
      hasMembers: (namespace) => pods.current()?.has(namespace) === true,
      standing: (kind, namespace, name) => ofKind(kind)?.get(namespace, name),
      standingOf: (key) =>
        ['NetworkPolicy', 'Service'].flatMap((kind) => ofKind(kind)?.of(key) ?? []),
      servicesOf: (namespace) => kube.services.current()?.of(namespace) ?? [],
      everyService: () => kube.services.current()?.all() ?? [],
      otherPolicies: (namespace) => otherPolicies.current()?.of(namespace) ?? [],
      apiServer: () => this.apiServer,
      isPartial: (key) => !this.isListed || pods.current()?.isPartial(key) !== false,
    }
  }
}

/** What ends with the process. */
export const closeAll = async (controller: Controller, elector: Elector): Promise<void> => {
  await elector.close()
  for (const follower of controller.followers()) follower.close()
}
