// What a server reaches, watched and held to what was declared: the proxy, what its processes are given, the ledger and the
// observer, from start to end. A bundle of its own.

import { randomBytes } from 'node:crypto'
import { networkInterfaces } from 'node:os'
import type { Destination } from '../../shared/destination.ts'
import { parseDestinations } from '../../shared/destination-list.ts'
import type { Cluster } from '../../shared/host-name.ts'
import type { Log } from '../../shared/log.ts'
import { messageOf } from '../../shared/message.ts'
import type { EgressConfig, SidecarConfig } from '../../shared/sidecar-config.ts'
import type { EgressRecords } from '../audit/egress-records.ts'
import { COMMAND, type Outfitter } from '../server/outfit.ts'
import type { Underway } from '../server/underway.ts'
import type { EgressFigures } from '../telemetry/egress-metrics.ts'
import { Account } from './ledger/account.ts'
import { EgressProxy } from './proxy/egress-proxy.ts'
import { ENFORCEMENTS, type State } from './process/enforcement.ts'
import { EgressCounts } from './ledger/figures.ts'
import { Ledger, type ToldOf } from './ledger/ledger.ts'
import { Observer, type Direct, type OpenListener } from './observer/observer.ts'
import { Outfits } from './process/outfits.ts'
import { clusterHere, parentOf } from './parent-config.ts'
import type { ParentProxy } from './reach/parent.ts'
import { pastRefusal } from './reach/past-proxy.ts'
import { Names } from './reach/resolver.ts'
import { kernelTables } from './observer/tables.ts'

export interface EgressParts {
  readonly config: SidecarConfig
  /** Which nobody can flood. */
  readonly log: Log
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly ownUid: number | undefined
  /** Of the cluster's API server, as the environment has it. */
  readonly apiServerHost: string | undefined
  /** The pod's; undefined on a machine that is none: there others' connections are nobody's business. */
  readonly ownAddresses: readonly string[] | undefined
  /** Undefined where no records are kept. */
  readonly records: EgressRecords | undefined
  /** Hears of each attempt besides. */
  readonly onReached?: ((told: ToldOf) => void) | undefined
}

export interface Egress {
  readonly outfitter: Outfitter
  readonly figures: EgressFigures
  /** In a word what holds the server, and why that is little; the latter undefined where it is enough. */
  readonly state: () => State
  /** The same as a sentence for whoever looks; undefined where all is as it was asked for. */
  readonly weakness: () => string | undefined
  /** What is in flight with any process of the server, from now on. */
  readonly watchCalls: (calls: () => Iterable<Underway>) => void
  /** A call is over: what it has left open can be seen now. */
  readonly ended: () => void
  readonly sweep: (nowMs: number) => void
  readonly close: () => void
}

interface Means {
  readonly parent: ParentProxy | undefined
  readonly cluster: Cluster | undefined
}

/** Also of a machine that is no pod. */
const machineAddresses = (): readonly string[] =>
  Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address))

const destinationsIn = ({ settings }: SidecarConfig): readonly Destination[] => {
  const declared = settings.egress ?? []
  if (declared.length === 0) return []
  const parsed = parseDestinations(declared.join(','))
  if (!parsed.ok) throw new Error(`egress: ${parsed.error}`)
  return parsed.value
}

class RunningEgress implements Egress {
  readonly outfitter: Outfits
  readonly proxy: EgressProxy
  readonly figures: EgressFigures
  private readonly parts: EgressParts
  private readonly counts: EgressCounts
  private readonly ledger: Ledger
  private readonly observer: Observer | undefined
  /** Whoever it is that has no credential: with all that is in flight. */
  private readonly anybody: Account
  private calls: () => Iterable<Underway> = () => []
  private port = 0
  private hasEnded = false
  private told = ''

  constructor(parts: EgressParts, egress: EgressConfig, means: Means) {
    const { config, now, records } = parts
    const destinations = destinationsIn(config)
    const mode = config.settings['egress-mode']
    this.parts = parts
    this.counts = new EgressCounts(destinations.map(({ text }) => text))
    this.anybody = new Account({ child: COMMAND, calls: () => this.calls() })
    this.ledger = new Ledger({
      records,
      onReached: parts.onReached,
      log: parts.log,
      now,
      counts: this.counts,
      enforcement: () => this.state().enforcement,
    })
    this.outfitter = new Outfits({
      mode,
      confinement: egress.confinement,
      destinations,
      port: () => this.port,
      proxy: () => this.proxy,
      newSecret: () => randomBytes(16).toString('hex'),
      mostBytes: egress.bytesPerSession,
      onState: (state) => this.tell(state),
      onDirect: (account, settled) => this.ledger.direct(account, settled),
      onMissed: (many) => this.ledger.missed(many),
    })
    this.proxy = new EgressProxy({
      mode,
      destinations,
      cluster: means.cluster,
      apiServerHost: parts.apiServerHost,
      resolve: new Names(now).resolve,
      now,
      ownAddresses: () => [...(parts.ownAddresses ?? []), ...machineAddresses()],
      ownPorts: [config.port, config.adminPort, ...config.standIns.map(({ port }) => port)],
      isForwards: this.outfitter.isForwards,
      parent: means.parent,
      whoIs: (credential) => this.outfitter.credentials.whose(credential),
      watch: {
        attempt: (client) => (client instanceof Account ? this.ledger.attempt(client) : undefined),
        stranger: (why) => this.ledger.stranger(this.anybody, why),
      },
    })
    this.observer = this.observing()
    this.figures = {
      attempts: this.counts.attempts,
      passed: this.counts.passed,
      connections: () => this.ledger.openCount,
      enforcement: () =>
        ENFORCEMENTS.map((one) => [one, this.state().enforcement === one ? 1 : 0] as const),
    }
  }

  readonly state = (): State => this.outfitter.state

  readonly weakness = (): string | undefined => {
    const { enforcement, why } = this.state()
    return enforcement === 'advisory'
      ? `what the server reaches can go around the proxy (${why})`
      : undefined
  }

  readonly watchCalls = (calls: () => Iterable<Underway>): void => {
    this.calls = calls
  }

  readonly ended = (): void => {
    this.hasEnded = true
  }

  readonly sweep = (nowMs: number): void => {
    this.ledger.sweep(nowMs)
    this.look()
  }

  /** Rejects where the port is somebody's already. */
  async begin(port: number): Promise<void> {
    this.port = await this.proxy.listen(port)
  }

  readonly close = (): void => {
    this.proxy.close()
    this.outfitter.close()
  }

  /** Under enforcement there is nothing to see, but at a call's end; else now and then, and faster while calls are in flight. */
  private look(): void {
    const { observer, hasEnded } = this
    if (!observer) return
    const isEnforced = this.state().enforcement === 'enforced'
    if (isEnforced && !hasEnded) return
    this.hasEnded = false
    observer.sweep(hasEnded || !isNothing(this.calls()))
  }

  private observing(): Observer | undefined {
    const { ownAddresses, ownUid, now } = this.parts
    if (!ownAddresses) return undefined
    return new Observer({
      tables: kernelTables(),
      ownUid,
      ownAddresses,
      now,
      onDirect: (direct) => this.direct(direct),
      onListener: (listener) => this.listener(listener),
    })
  }

  /** A connection that the shim has not told of: of a container that nothing confines, or where it cannot. */
  private direct({ protocol, address, port, uid }: Direct): void {
    if (uid === this.outfitter.uid && this.state().why === undefined) return
    const refusal = pastRefusal({ how: protocol, address, port })
    this.ledger.direct(
      this.anybody,
      { verdict: 'observed', protocol, address, port, ...refusal },
      uid,
    )
  }

  private listener(listener: OpenListener): void {
    const { records, log } = this.parts
    records?.state({ event: 'listener', ...listener })
    const { address, port, uid } = listener
    log.warn('somebody else listens in the pod, where others can come past the sidecar', {
      address,
      port,
      uid,
    })
  }

  /** Told whenever it changes. */
  private tell({ enforcement, why }: State): void {
    const { records, log, config } = this.parts
    const mode = config.settings['egress-mode']
    const told = `${enforcement} ${why ?? ''}`
    if (told === this.told) return
    this.told = told
    records?.state({
      event: 'egress-enforcement',
      mode,
      enforcement,
      ...(why === undefined ? {} : { why }),
    })
    log[why === undefined ? 'info' : 'warn']('what the server reaches', {
      egressMode: mode,
      egressEnforcement: enforcement,
      why,
    })
  }
}

const isNothing = (calls: Iterable<Underway>): boolean => {
  for (const _ of calls) return false
  return true
}

/** Rejects with the reason where it cannot begin. */
export const startEgress = async (parts: EgressParts, egress: EgressConfig): Promise<Egress> => {
  const cluster = await clusterHere()
  const running = new RunningEgress(parts, egress, {
    cluster,
    parent: await parentOf(egress, cluster),
  })
  try {
    await running.begin(egress.port)
  } catch (error) {
    throw new Error(`the egress proxy cannot listen on port ${egress.port}: ${messageOf(error)}`, {
      cause: error,
    })
  }
  return running
}
