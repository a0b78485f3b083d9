// Makes the account of a server before its first pod is there: the API server refuses a pod whose account is not, its owner hears
// of that by an Event, and tries again. By the Event alone nothing is made: the owner is read as it is now.

import { stringAt, withAt, type JsonObject } from '../../shared/json.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import type { Namespace } from '../cluster/namespace.ts'
import { asksOwnAccounts } from '../inject/own-account.ts'
import { serverLabel } from '../inject/server-label.ts'
import type { Requests } from '../kube/requests.ts'
import { clusterWords } from '../kube/words.ts'
import { kindOfObject, templateOf } from '../workload/kinds.ts'
import type { Accounts } from './accounts.ts'
import type { DeniedOwner } from './denied-owners.ts'
import type { Events } from './events.ts'
import type { Tools } from './followed.ts'
import { OwnerQueue, type Follow } from './owner-queue.ts'
import { ownerPath, type Owners } from './owners.ts'
import { takenWords } from './told-words.ts'

export interface MissingAccountsOptions extends Tools {
  readonly config: () => ClusterConfig
  /** Undefined before namespaces are listed. */
  readonly namespaces: () => { get(name: string): Namespace | undefined } | undefined
  readonly requests: Requests
  readonly owners: Owners
  readonly events: Events
  readonly accounts: Accounts
  readonly follow: Follow
}

const AT_ONCE = 2

/** The label that pods of an owner bear, as admission gives it; undefined: it makes none. */
const serverOf = (object: JsonObject, { owner }: DeniedOwner): string | undefined => {
  const kind = kindOfObject(object)
  const template = kind && templateOf(object, kind)
  if (!template) return undefined
  const ownerReferences = [{ ...owner, controller: true }]
  return serverLabel(withAt(template, ['metadata', 'ownerReferences'], ownerReferences), undefined)
}

export class MissingAccounts {
  private readonly options: MissingAccountsOptions
  private readonly queue: OwnerQueue

  constructor(options: MissingAccountsOptions) {
    this.options = options
    const { config, namespaces } = options
    this.queue = new OwnerQueue({
      ...options,
      atOnce: AT_ONCE,
      isAsked: () => config().floor.ownServiceAccounts.length > 0 && namespaces() !== undefined,
      work: (denied, signal) => this.look(denied, signal),
    })
  }

  /** Makes them until the signal is given. */
  run(signal: AbortSignal): Promise<void> {
    return this.queue.run(signal)
  }

  /** Whether nothing is left to do for an owner. */
  private async look(denied: DeniedOwner, signal: AbortSignal): Promise<boolean> {
    const { log } = this.options
    const { namespace } = denied
    try {
      await this.make(denied, signal)
      return true
    } catch (error) {
      if (!signal.aborted) {
        log.warn('an account could not be made', { namespace, error: clusterWords(error) })
      }
      return false
    }
  }

  private async make(denied: DeniedOwner, signal: AbortSignal): Promise<void> {
    const { config, namespaces, requests, owners, events, accounts } = this.options
    const { namespace, owner } = denied
    const known = namespaces()?.get(namespace)
    if (!known || !asksOwnAccounts(known, config())) return
    const object = await requests.get(ownerPath(denied), signal)
    if (!object || stringAt(object, 'metadata', 'uid') !== owner.uid) return
    const { kind, apiVersion } = owner
    const server = serverOf({ ...object, kind, apiVersion }, denied)
    const root = server === undefined ? undefined : await owners.rootOf(denied, () => false, signal)
    if (server === undefined || !root) return
    const taken = await accounts.keep({ namespace, server, owner: root }, signal, true)
    if (taken !== undefined) await events.tell(namespace, root, [takenWords(taken)], signal)
  }
}
