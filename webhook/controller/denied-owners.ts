// Whose pods are denied by us, by the Events in which Kubernetes tells of it: what makes pods writes one at each try. Anybody
// may write an Event, so that it says where to look, and nothing else. Bounded; pure but for the follower.

import { isObject, objectAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { Room } from '../cluster/room.ts'
import { ownerIn, type Owner } from '../companions/member.ts'
import { sourceOf } from '../kube/collection.ts'
import type { ControllerKube } from '../kube/client.ts'
import { Follower } from '../kube/follower.ts'
import { collectionBy } from '../kube/requests.ts'
import type { Tools } from './followed.ts'
import { DENIED } from './overlooked.ts'
import { makesPods } from './owners.ts'

export interface DeniedOwner {
  readonly namespace: string
  readonly owner: Owner
}

/** What a queue calls it: none of its words holds a space. */
export const ownerKey = ({ namespace, owner }: DeniedOwner): string =>
  [namespace, owner.apiVersion, owner.kind, owner.name, owner.uid].join(' ')

export const ownerOfKey = (key: string): DeniedOwner => {
  const [namespace = '', apiVersion = '', kind = '', name = '', uid = ''] = key.split(' ')
  return { namespace, owner: { apiVersion, kind, name, uid } }
}

interface SeenEvent {
  readonly namespace: string
  readonly name: string
  /** Undefined: it is about something else. */
  readonly key: string | undefined
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$/

/** An Event as far as it tells of a denial in words like these. */
export const seenEvent = (event: JsonObject, words = DENIED): SeenEvent => {
  const namespace = stringAt(event, 'metadata', 'namespace') ?? ''
  const name = stringAt(event, 'metadata', 'name') ?? ''
  const owner = ownerIn(objectAt(event, 'involvedObject'))
  const isOurs = words.test(stringAt(event, 'message') ?? '')
  const isKnown =
    owner !== undefined &&
    makesPods(owner) &&
    [namespace, owner.name, owner.uid].every((word) => NAME.test(word))
  return { namespace, name, key: isOurs && isKnown ? ownerKey({ namespace, owner }) : undefined }
}

const MAX_DENIED = 5000
export const MAX_NAMESPACE_DENIED = 250

/** Those of which Events tell; what has no room is seen at its next try, when there is some. */
export class DeniedOwners {
  private readonly byEvent = new Map<string, string>()
  private readonly room = new Room(MAX_DENIED, MAX_NAMESPACE_DENIED)
  /** It is no collection of which anything is to be known whole. */
  readonly leftOut = 0

  put(event: SeenEvent): void {
    this.remove(event)
    const { namespace, name, key } = event
    if (key !== undefined && this.room.take(namespace, 1))
      this.byEvent.set(`${namespace}/${name}`, key)
  }

  remove({ namespace, name }: SeenEvent): void {
    if (this.byEvent.delete(`${namespace}/${name}`)) this.room.release(namespace, 1)
  }

  has({ namespace, name }: SeenEvent): boolean {
    return this.byEvent.has(`${namespace}/${name}`)
  }

  keys(): ReadonlySet<string> {
    return new Set(this.byEvent.values())
  }
}

const EVENTS = '/api/v1/events'

/** Which Events tell of owners, and what log and metrics call those. */
export interface Telling {
  readonly resource: string
  readonly words: RegExp
}
const OF_DENIALS: Telling = { resource: 'events of denied pods', words: DENIED }
/** As the API server tells of a pod whose own account is not there yet. */
export const OF_ACCOUNTS: Telling = {
  resource: 'events of missing accounts',
  words:
    /error looking up service account [a-z0-9.-]{1,63}\/outrigger-[a-z0-9.-]{1,80}: serviceaccount "/,
}

/** Follows them; `asked` hears of each owner of whom they tell. */
export const followDenied = (
  kube: Pick<ControllerKube, 'send' | 'watcher'>,
  tools: Tools,
  asked: (key: string) => void,
  { resource, words } = OF_DENIALS,
): Follower<SeenEvent, DeniedOwners> => {
  const follower: Follower<SeenEvent, DeniedOwners> = new Follower({
    ...tools,
    resource,
    source: sourceOf(kube.watcher, {
      ...collectionBy(kube.send, EVENTS, { fieldSelector: 'reason=FailedCreate' }),
      read: (object) => (isObject(object) ? seenEvent(object, words) : undefined),
    }),
    empty: () => new DeniedOwners(),
    told: (event) => {
      const known = follower.current()
      const keys = event ? [known?.has(event) ? event.key : undefined] : (known?.keys() ?? [])
      for (const key of keys) if (key !== undefined) asked(key)
    },
  })
  return follower
}
