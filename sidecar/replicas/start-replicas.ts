// The other replicas of this workload, from its keys on: session ids that say who holds them, what belongs to another's session
// is sent there, and what others send is taken at a port of its own. A bundle of its own. Without keys, or that port, a
// session is served where it began.

import { randomBytes } from 'node:crypto'
import type { Server as HttpServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { addressOf, textOf } from '../../shared/address.ts'
import { KeptFile, needed } from '../../shared/kept-file.ts'
import type { Log } from '../../shared/log.ts'
import { messageOf } from '../../shared/message.ts'
import { POD_IPS_VARIABLE, REPLICA_PORT } from '../../shared/names.ts'
import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import { forwarded } from '../http/forwarded.ts'
import { header } from '../http/exchange.ts'
import { closeAll, listen } from '../http/listen.ts'
import { LimitedLog } from '../life/limited-log.ts'
import type { Fork, Stage } from '../pipeline/stage.ts'
import type { Tracing } from '../telemetry/tracing.ts'
import { Doorway } from '../tls/doorway.ts'
import { believedIn, voucherStage, type CallerWatch } from './holder.ts'
import { Hops } from './hops.ts'
import { mintId, readId } from './identifier.ts'
import { keyFiles, Keyring, readKeys, type Keys } from './keys.ts'
import { Members, type ResolveService } from './members.ts'
import { serviceNames } from './service-names.ts'
import { idsIn } from './request-states.ts'
import { Used } from './voucher.ts'

const LOOK_MS = 2000
const NOTHING = Buffer.alloc(0)
const LOG_RATE = { burst: 20, perSecond: 1 }

export interface ReplicasParts {
  readonly config: Pick<SidecarConfig, 'host' | 'settings' | 'issuers' | 'trustDomains'>
  readonly log: Log
  readonly now: () => number
  readonly wallMs: () => number
  readonly pod?: { readonly addresses: readonly string[] }
  /** Which addresses a Service has; absent: as the cluster's name service says. */
  readonly resolveService?: ResolveService | undefined
  readonly onCaller?: CallerWatch | undefined
}

export interface Asked {
  /** Whether a session is held here. */
  readonly hasSession: (id: string) => boolean
  readonly tracing: Tracing | undefined
}

export class Replicas {
  private readonly parts: ReplicasParts
  private readonly log: LimitedLog
  private readonly keyring: Keyring
  private readonly members: Members
  private readonly hops: Hops
  private readonly own: ReadonlySet<string>
  private readonly kept: KeptFile<Keys | undefined>
  private readonly stageOfHolder: Stage
  private doorways: readonly Doorway[] = []
  private createHttp: (() => HttpServer) | undefined
  private opening: Promise<void> | undefined
  private isOpen = false
  private fault: string | undefined

  constructor(parts: ReplicasParts, service: string, folder: string) {
    const { config, now, wallMs, pod } = parts
    this.parts = parts
    this.log = new LimitedLog(parts.log, LOG_RATE, now)
    this.keyring = new Keyring(now)
    this.own = new Set((pod?.addresses ?? []).flatMap((text) => addressOf(text) ?? []).map(textOf))
    const [first = ''] = this.own
    const resolve = parts.resolveService ?? serviceNames(first.includes(':') ? 6 : 4)
    this.members = new Members({ service, resolve, now, sleep })
    this.hops = new Hops({
      keyring: this.keyring,
      members: this.members,
      port: REPLICA_PORT,
      forwarded: forwarded(config.settings['forward-headers']),
      now,
      wallMs,
    })
    this.stageOfHolder = voucherStage({
      keyring: this.keyring,
      used: new Used(now),
      figures: this.hops.figures,
      own: this.own,
      believed: believedIn(config),
      now,
      wallMs,
      log: this.log,
      onCaller: parts.onCaller,
    })
    this.kept = new KeptFile<Keys | undefined>(
      {
        what: 'the certificate and the key of the replicas',
        source: keyFiles(folder),
        parse: needed(readKeys(folder, wallMs)),
        log: parts.log,
        fields: (keys) => (keys ? { until: new Date(keys.pair.notAfterMs).toISOString() } : {}),
      },
      undefined,
    )
  }

  get figures(): Hops['figures'] {
    return this.hops.figures
  }

  /** Requests that are with another replica and that somebody waits for. */
  get inFlight(): number {
    return this.hops.inFlight
  }

  /** Undefined where nobody could be led here by it. */
  readonly newSessionId = (): string | undefined => {
    const keys = this.keyring.current
    const [address] = this.own
    const bytes = address === undefined ? undefined : addressOf(address)
    return this.isOpen && keys && bytes ? mintId(keys.ids, bytes, randomBytes) : undefined
  }

  /** Reads the keys, as far as they are there. */
  async begin(): Promise<void> {
    const { log } = this.parts
    if (this.own.size === 0) {
      log.warn(`${POD_IPS_VARIABLE} is not set: no other replica can find this one's sessions`)
      return
    }
    this.taken(await this.kept.refresh())
    if (this.keyring.current === undefined) {
      log.info('the keys of the replicas are not there yet: sessions are served where they began')
    }
    this.kept.follow(
      LOOK_MS,
      (outcome) => this.taken(outcome),
      () => this.look(),
    )
  }

  /** Takes what others send, once there are keys. `createHttp`: what answers it. */
  async listen(createHttp: () => HttpServer): Promise<void> {
    this.createHttp = createHttp
    await this.open()
  }

  /**
   * Sends what belongs to another replica's session, or to a call that waits there for its client, to that replica. Where that
   * has gone nobody knows the session or the call, which is said here.
   */
  forkFor({ hasSession, tracing }: Asked): Fork {
    return (passage) => {
      const { request, body } = passage
      const id = header(request, 'mcp-session-id')
      if (id !== undefined && hasSession(id)) return undefined
      const holder = this.othersIn(id === undefined ? idsIn(body?.bytes ?? NOTHING) : [id])
      return holder === undefined ? undefined : this.hops.send(passage, holder, tracing)
    }
  }

  /** By which what others send is taken. */
  get voucher(): Stage {
    return this.stageOfHolder
  }

  /** What others have sent and is not answered yet has so long. */
  async close(patienceMs: number): Promise<void> {
    this.kept.close()
    this.createHttp = undefined
    await this.opening
    await closeAll(this.doorways, patienceMs)
    this.hops.close()
  }

  /** The address of another replica that an id says. */
  private othersIn(ids: readonly string[]): string | undefined {
    const keys = ids.length === 0 ? [] : this.keyring.all.map((one) => one.ids)
    for (const id of ids) {
      const holder = readId(keys, id)
      if (holder?.ok === true && !this.own.has(holder.value)) return holder.value
      if (holder?.ok === false) this.figures.hop(holder.error)
    }
    return undefined
  }

  private taken(outcome: 'same' | 'taken' | 'refused'): void {
    const keys = this.kept.current()
    if (outcome !== 'taken' || keys === undefined) return
    this.keyring.take(keys)
    this.look()
  }

  /** What is shown and taken may have become another since, and the port may be free. */
  private look(): void {
    this.hops.renew()
    this.members.keep()
    const { current } = this.keyring
    if (current) for (const doorway of this.doorways) doorway.show(current.pair)
    this.log.sweep(this.parts.now())
    if (!this.isOpen) void this.open()
  }

  private open(): Promise<void> {
    this.opening ??= this.tryOpen().finally(() => {
      this.opening = undefined
    })
    return this.opening
  }

  private async tryOpen(): Promise<void> {
    const { createHttp, keyring } = this
    const keys = keyring.current
    if (createHttp === undefined || keys === undefined || this.isOpen) return
    this.hops.renew()
    const doorway = (): Doorway => doorwayOf(keyring, keys, createHttp())
    const pair = [doorway(), doorway()] as const
    try {
      await listen(pair, REPLICA_PORT, this.parts.config.host)
      this.doorways = pair
      this.isOpen = true
      this.parts.log.info('other replicas are listened to', { port: REPLICA_PORT })
    } catch (error) {
      const fault = messageOf(error)
      if (fault !== this.fault) {
        this.parts.log.error(
          'the port for other replicas cannot be taken: sessions are served where they began until it can',
          { port: REPLICA_PORT, error: fault },
        )
      }
      this.fault = fault
    }
  }
}

const doorwayOf = (keyring: Keyring, { pair }: Keys, http: HttpServer): Doorway =>
  new Doorway({
    http,
    pair,
    clients: {
      get authorities() {
        return keyring.authorities
      },
      isKnown: (socket) => keyring.isKnown(socket),
      areAlone: true,
    },
    onHandshake: () => undefined,
    onName: () => undefined,
    onFreed: () => undefined,
  })

/** Begins with the keys that are there. */
export const startReplicas = async (
  parts: ReplicasParts,
  { service, keys }: NonNullable<SidecarConfig['replicas']>,
): Promise<Replicas> => {
  const replicas = new Replicas(parts, service, keys)
  await replicas.begin()
  return replicas
}
