// What the controller follows besides namespaces and Services, and what each change asks for. Decides nothing.

import { isObject } from '../../shared/json.ts'
import type { Log } from '../../shared/log.ts'
import { COMPANION_PREFIX, INJECTED, MANAGED } from '../../shared/names.ts'
import { memberOf } from '../companions/member.ts'
import { sourceOf } from '../kube/collection.ts'
import type { ControllerKube } from '../kube/client.ts'
import { Follower } from '../kube/follower.ts'
import { collectionBy } from '../kube/requests.ts'
import { keyOf, Members, type SeenPod } from './members.ts'
import { OtherPolicies, seenPolicy, type SeenPolicy } from './other-policies.ts'
import { standingOf, StandingStore, type Standing } from './standing.ts'

export interface Tools {
  readonly log: Log
  /** Milliseconds of a steady clock. */
  readonly now: () => number
  readonly random: () => number
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

const seenPod = (object: unknown): SeenPod | undefined => {
  if (!isObject(object)) return undefined
  const { namespace, name } = isObject(object['metadata']) ? object['metadata'] : {}
  return typeof namespace === 'string' && typeof name === 'string'
    ? { namespace, name, member: memberOf(object) }
    : undefined
}

/** What the controller alone follows. */
export interface Followed {
  readonly pods: Follower<SeenPod, Members>
  readonly policies: Follower<Standing, StandingStore>
  readonly ownServices: Follower<Standing, StandingStore>
  readonly otherPolicies: Follower<SeenPolicy, OtherPolicies>
}

const standingFollower = (
  kube: Pick<ControllerKube, 'send' | 'watcher'>,
  {
    kind,
    path,
    resource,
  }: { readonly kind: string; readonly path: string; readonly resource: string },
  tools: Tools,
  told: (item: Standing | undefined) => void,
): Follower<Standing, StandingStore> =>
  new Follower({
    ...tools,
    resource,
    source: sourceOf(kube.watcher, {
      ...collectionBy(kube.send, path, { labelSelector: MANAGED }),
      read: (object) => (isObject(object) ? standingOf(kind, object) : undefined),
    }),
    empty: () => new StandingStore(),
    told,
  })

const POLICIES = '/apis/networking.k8s.io/v1/networkpolicies'

/** All of them: what bears our label may be a copy that somebody has made of one of ours. */
const otherPoliciesFollower = (
  kube: Pick<ControllerKube, 'send' | 'watcher'>,
  tools: Tools,
  { namespace, all }: Pick<Asked, 'namespace' | 'all'>,
): Followed['otherPolicies'] =>
  new Follower({
    ...tools,
    resource: 'networkpolicies of others',
    source: sourceOf(kube.watcher, {
      ...collectionBy(kube.send, POLICIES),
      read: (object) => (isObject(object) ? seenPolicy(object) : undefined),
    }),
    empty: () => new OtherPolicies(),
    // Ours have a follower of their own.
    told: (seen) => {
      if (!seen) all()
      else if (seen.text !== undefined) namespace(seen.namespace)
    },
  })

/** What happens to be asked for: a workload, those of a namespace, or everything. */
export interface Asked {
  readonly workload: (key: string) => void
  readonly namespace: (name: string) => void
  readonly all: () => void
}

export const followCluster = (
  kube: Pick<ControllerKube, 'send' | 'watcher'>,
  tools: Tools,
  asked: Asked,
): Followed => {
  const standing = (item: Standing | undefined): void =>
    item ? asked.workload(keyOf(item.namespace, item.server)) : asked.all()
  let pods: Followed['pods'] | undefined
  const told = (seen: SeenPod | undefined): void => {
    if (!seen) return asked.all()
    // A pod that is gone is no member any more; its workload is found at the next look at everything.
    if (seen.member) asked.workload(keyOf(seen.namespace, seen.member.server))
    if (pods?.current()?.has(seen.namespace) === false || seen.member) {
      asked.workload(keyOf(seen.namespace, ''))
    }
  }
  pods = new Follower({
    ...tools,
    resource: 'pods',
    source: sourceOf(kube.watcher, {
      ...collectionBy(kube.send, '/api/v1/pods', { labelSelector: INJECTED }),
      read: seenPod,
    }),
    empty: () => new Members(),
    told,
  })
  const policies = {
    kind: 'NetworkPolicy',
    path: POLICIES,
    resource: 'networkpolicies of ours',
  }
  const services = { kind: 'Service', path: '/api/v1/services', resource: 'services of ours' }
  return {
    pods,
    policies: standingFollower(kube, policies, tools, standing),
    ownServices: standingFollower(kube, services, tools, standing),
    otherPolicies: otherPoliciesFollower(kube, tools, asked),
  }
}

/** Whether a Service is likely one of ours, whose own writes would have everything looked at. */
export const isCompanionName = (name: string): boolean => name.startsWith(COMPANION_PREFIX)
