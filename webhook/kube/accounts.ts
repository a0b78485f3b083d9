// The ServiceAccounts `default`, followed, and read live where one is not known yet: a namespace that has just been made, or none
// could be listed so far. Decides nothing.

import { isObject, stringAt } from '../../shared/json.ts'
import { sleep } from '../../shared/timers.ts'
import { AccountStore, placedAccount, type PlacedAccount } from '../cluster/account-store.ts'
import type { DefaultAccount } from '../cluster/namespace.ts'
import { sourceOf, type Watcher } from './collection.ts'
import { Follower, type FollowerOptions } from './follower.ts'
import type { Send } from './reply.ts'
import { collectionBy, requestsBy } from './requests.ts'

const NAME = 'default'
/** A review waits for it, and the API server for the review. */
const PATIENCE_MS = 2000

export interface DefaultAccounts {
  readonly follower: Follower<PlacedAccount, AccountStore>
  /** From memory, else live. */
  defaultOf(namespace: string): Promise<DefaultAccount>
}

/** No other account is read: by this name the API server gives the right to it alone. */
export const defaultAccounts = (
  { send, watcher }: { readonly send: Send; readonly watcher: Watcher },
  options: Pick<FollowerOptions<PlacedAccount, AccountStore>, 'log' | 'now' | 'random'>,
  timeout: (ms: number) => AbortSignal = (ms) => AbortSignal.timeout(ms),
): DefaultAccounts => {
  const selected = { fieldSelector: `metadata.name=${NAME}` }
  const source = sourceOf(watcher, {
    ...collectionBy(send, '/api/v1/serviceaccounts', selected),
    read: (object) => (isObject(object) ? placedAccount(object) : undefined),
  })
  const empty = () => new AccountStore()
  const follower = new Follower({ ...options, resource: 'default accounts', source, empty, sleep })
  const requests = requestsBy(send)
  /** Undefined where it cannot be read; one that is not there is nobody. */
  const read = async (namespace: string): Promise<boolean | undefined> => {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${NAME}`
    try {
      const object = await requests.get(path, timeout(PATIENCE_MS))
      if (!object) return false
      const isIt = stringAt(object, 'metadata', 'namespace') === namespace
      return isIt ? placedAccount(object).isAtCloud : undefined
    } catch {
      return undefined
    }
  }
  const looks = new Map<string, Promise<boolean | undefined>>()
  /** A crowd of a namespace has one look in common: there are no more than namespaces. */
  const look = (namespace: string): Promise<boolean | undefined> => {
    const found = looks.get(namespace) ?? read(namespace).finally(() => looks.delete(namespace))
    looks.set(namespace, found)
    return found
  }
  return {
    follower,
    defaultOf: async (namespace) => {
      const isAtCloud = follower.current()?.isAtCloud(namespace) ?? (await look(namespace))
      if (isAtCloud === undefined) return 'unknown'
      return isAtCloud ? 'at-cloud' : 'plain'
    },
  }
}
