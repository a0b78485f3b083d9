// Makes the ServiceAccounts of servers, each for who owns its server, so that it goes with that. None is ever changed or deleted:
// the controller has no right to. One of somebody else's in its place is left alone.

import { objectAt, stringAt } from '../../shared/json.ts'
import type { Log } from '../../shared/log.ts'
import { accountOf, type Accountable } from '../companions/account.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import type { Namespace } from '../cluster/namespace.ts'
import type { Owner } from '../companions/member.ts'
import { asksOwnAccounts } from '../inject/own-account.ts'
import type { Requests } from '../kube/requests.ts'
import { isOurs, isOwnedBy } from './drift.ts'
import { standingOf } from './standing.ts'

/** Undefined where no pod that stays runs by one, or nobody asks for them. */
export const accountedIn = (
  { owner, hasOwnAccount = false }: { readonly owner?: Owner; readonly hasOwnAccount?: boolean },
  {
    namespace,
    server,
    config,
  }: {
    readonly namespace: Namespace | undefined
    readonly server: string
    readonly config: ClusterConfig
  },
): Accountable | undefined =>
  owner && hasOwnAccount && namespace && asksOwnAccounts(namespace, config)
    ? { namespace: namespace.name, server, owner }
    : undefined

/** One that stood is not asked for again so soon. */
const AGAIN_MS = 4 * 60_000
/** Servers. */
const MAX_SEEN = 20_000

export interface AccountsOptions {
  readonly requests: Requests
  /** Milliseconds of a steady clock. */
  readonly now: () => number
  readonly log: Log
}

export class Accounts {
  private readonly options: AccountsOptions
  /** When each stood as it is to, for the owner of then. */
  private readonly seen = new Map<string, number>()

  constructor(options: AccountsOptions) {
    this.options = options
  }

  /** Whoever begins to lead has asked nobody before. */
  begin(): void {
    this.seen.clear()
  }

  /** Has the account of a server there; where it is somebody else's that stands in its place, what that is. `isMissed`: somebody
   * says that there is none. */
  async keep(
    whose: Accountable,
    signal: AbortSignal,
    isMissed = false,
  ): Promise<string | undefined> {
    const { requests, now } = this.options
    const { namespace, owner } = whose
    const wanted = accountOf(whose)
    const name = stringAt(wanted, 'metadata', 'name') ?? ''
    const key = `${namespace}/${name} ${owner.uid}`
    const seenMs = this.seen.get(key)
    if (!isMissed && seenMs !== undefined && now() - seenMs < AGAIN_MS) return undefined
    const place = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts`
    const live = await requests.get(`${place}/${encodeURIComponent(name)}`, signal)
    if (!live) return this.make(whose, place, signal)
    const standing = standingOf('ServiceAccount', live)
    if (!isOurs(standing, wanted)) return `ServiceAccount ${namespace}/${name}`
    // One of an owner that is gone goes, too: it is looked for each time until then.
    const isGoing = objectAt(live, 'metadata')['deletionTimestamp'] !== undefined
    if (isOwnedBy(standing, owner.uid) && !isGoing) this.see(key)
    return undefined
  }

  private see(key: string): void {
    if (this.seen.size >= MAX_SEEN) this.seen.clear()
    this.seen.set(key, this.options.now())
  }

  /** Who has made it meanwhile is asked after the next time. */
  private async make(whose: Accountable, place: string, signal: AbortSignal): Promise<undefined> {
    const body = JSON.stringify(accountOf(whose))
    const { status } = await this.options.requests.write(
      { method: 'POST', path: place, body },
      signal,
      [409],
    )
    const { namespace, server } = whose
    if (status !== 409) this.options.log.info('account made', { namespace, server })
  }
}
