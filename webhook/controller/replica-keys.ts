// The Secret by which the replicas of a workload know each other: a certificate of its own and a key for the ids of its sessions,
// made here and never read. The controller may create Secrets and do nothing else with them, so that one that stands is known
// by the API server's refusal to make another. What is in it is logged nowhere, nor what the API server says of it.

import type { KeyPair } from '../../certs/keys.ts'
import { createPinned } from '../../certs/x509.ts'
import type { JsonObject } from '../../shared/json.ts'
import type { Log } from '../../shared/log.ts'
import { ID_KEY, TLS_CERT_KEY, TLS_PRIVATE_KEY } from '../../shared/names.ts'
import { replicasName } from '../cluster/companion-name.ts'
import { companionLabels } from '../companions/companions.ts'
import type { Owner } from '../companions/member.ts'
import { Refusal } from '../kube/reply.ts'
import type { Requests } from '../kube/requests.ts'
import type { Events } from './events.ts'
import { keyOf } from './members.ts'
import { apartWords } from './told-words.ts'
import { FIELD_MANAGER } from './writes.ts'

/** Of whose pods it is. */
export interface Replicated {
  readonly namespace: string
  readonly server: string
  readonly owner: Owner
}

/** Undefined where there is nobody who would need it, or nothing is made anew. */
export const replicatedIn = (
  wanted: {
    readonly owner?: Owner
    readonly hasReplicas?: boolean
    readonly isEnding?: boolean
  },
  namespace: string,
  server: string,
): Replicated | undefined => {
  const { owner, hasReplicas = false, isEnding = false } = wanted
  return owner && hasReplicas && !isEnding ? { namespace, server, owner } : undefined
}

/** What became of it: it was made, stood there, or the API server would not have it. */
export type KeysResult = 'made' | 'standing' | 'refused'

export interface ReplicaKeysOptions {
  readonly requests: Requests
  readonly events: Pick<Events, 'tell'>
  readonly log: Log
  /** Milliseconds of a steady clock. */
  readonly now: () => number
  readonly wallMs: () => number
  readonly keyPair: () => Promise<KeyPair>
  readonly randomBytes: (size: number) => Uint8Array
  readonly counted: (result: KeysResult) => void
}

/** One that stands is asked for again at the look after this one: somebody may have deleted it. */
const AGAIN_MS = 4 * 60_000
/** Workloads; of those beyond the one that was asked for first is forgotten, and asked for again. */
export const MAX_SEEN = 50_000
/** Whoever holds it believes it: there is nobody who would renew it. */
const LIFETIME_MS = 20 * 365 * 86_400_000
const CONFLICT = 409

type Parts = Readonly<Record<typeof TLS_CERT_KEY | typeof TLS_PRIVATE_KEY | typeof ID_KEY, string>>
const NO_PARTS: Parts = { [TLS_CERT_KEY]: '', [TLS_PRIVATE_KEY]: '', [ID_KEY]: '' }

const secretOf = ({ namespace, server, owner }: Replicated, stringData: Parts): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  type: 'Opaque',
  metadata: {
    name: replicasName(server),
    namespace,
    labels: companionLabels(server),
    ownerReferences: [{ ...owner }],
  },
  stringData,
})

export class ReplicaKeys {
  private readonly options: ReplicaKeysOptions
  /** When the Secret of a workload was last seen to stand, and whose it was to be, the longest ago first. */
  private readonly seen = new Map<string, { readonly atMs: number; readonly uid: string }>()

  constructor(options: ReplicaKeysOptions) {
    this.options = options
  }

  /** Whoever begins to lead has seen nothing before. */
  begin(): void {
    this.seen.clear()
  }

  /** Has one made where none stands; fails where the API server will not have it. */
  async keep(replicated: Replicated, signal: AbortSignal): Promise<void> {
    const { now, counted, events } = this.options
    const { namespace, server, owner } = replicated
    const key = keyOf(namespace, server)
    const seen = this.seen.get(key)
    // With a workload of the same name that was there before, its Secret goes.
    if (seen?.uid === owner.uid && now() - seen.atMs < AGAIN_MS) return
    const status = await this.make(replicated, signal)
    if (status === undefined) return this.saw(key, owner)
    counted('refused')
    const name = replicasName(server)
    await events.tell(namespace, owner, [apartWords(name, status)], signal)
    throw new Error(`Secret ${namespace}/${name}: answered ${status}`)
  }

  private saw(key: string, { uid }: Owner): void {
    this.seen.delete(key)
    const [oldest] = this.seen.keys()
    if (this.seen.size >= MAX_SEEN && oldest !== undefined) this.seen.delete(oldest)
    this.seen.set(key, { atMs: this.options.now(), uid })
  }

  /** Undefined where it stands now, else the status by which it was refused. Keys take a while to make: whether any are needed is asked before. */
  private async make(replicated: Replicated, signal: AbortSignal): Promise<number | undefined> {
    const { counted, log } = this.options
    const { namespace, server } = replicated
    const asked = await this.create(replicated, NO_PARTS, { isTrial: true, signal })
    // Whatever else is said of a trial (some webhooks take none) may not be said of the Secret itself.
    if (asked !== CONFLICT) {
      const made = await this.create(replicated, await this.parts(replicated), { signal })
      if (made === undefined) {
        counted('made')
        log.info('keys made', { secret: `${namespace}/${replicasName(server)}` })
        return undefined
      }
      if (made !== CONFLICT) return made
    }
    counted('standing')
    return undefined
  }

  private async parts({ namespace, server }: Replicated): Promise<Parts> {
    const { keyPair, randomBytes, wallMs } = this.options
    const { certificatePem, privateKeyPem } = createPinned({
      keys: await keyPair(),
      now: new Date(wallMs()),
      serial: randomBytes(16),
      lifetimeMs: LIFETIME_MS,
      names: [`replicas.${server}.${namespace}.outrigger`],
    })
    return {
      [TLS_CERT_KEY]: certificatePem,
      [TLS_PRIVATE_KEY]: privateKeyPem,
      [ID_KEY]: Buffer.from(randomBytes(32)).toString('base64url'),
    }
  }

  /** Undefined where it was made, else the status by which it was refused. */
  private async create(
    replicated: Replicated,
    parts: Parts,
    { isTrial = false, signal }: { readonly isTrial?: boolean; readonly signal: AbortSignal },
  ): Promise<number | undefined> {
    const { namespace } = replicated
    const query = `?fieldManager=${FIELD_MANAGER}${isTrial ? '&dryRun=All' : ''}`
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets${query}`
    const body = JSON.stringify(secretOf(replicated, parts))
    try {
      await this.options.requests.write({ method: 'POST', path, body }, signal)
      return undefined
    } catch (error) {
      if (error instanceof Refusal) return error.code
      throw error
    }
  }
}
