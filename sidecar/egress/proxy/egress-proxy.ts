// The way out of a server: one listener on loopback for HTTP's CONNECT and absolute form and for SOCKS5, told apart by their
// first byte, and the forwards that its owner listens for. Who is not known, and what is not declared, goes nowhere.

import { createServer, type Server, type Socket } from 'node:net'
import { addressOf, kindOf, textOf, type Address } from '../../../shared/address.ts'
import type { Destination } from '../../../shared/destination.ts'
import type { Cluster } from '../../../shared/host-name.ts'
import { ADMIN_PORT, EGRESS_PORT, MCP_PORT } from '../../../shared/names.ts'
import { listen } from '../../http/listen.ts'
import { Desk } from './desk.ts'
import { dial as dialDirectly, type Dial } from '../reach/dial.ts'
import type { DoorParts } from './door-parts.ts'
import { drop } from './drop.ts'
import { Held } from './held.ts'
import { HttpDoor } from './http-door.ts'
import { absoluteDestinations, type Mode, type Target } from '../reach/judge.ts'
import { LIMITS, type Limits } from './limits.ts'
import { ApiServerPlace } from '../reach/api-server-place.ts'
import type { ParentProxy } from '../reach/parent.ts'
import { Reach } from '../reach/reach.ts'
import type { Resolve } from '../reach/resolver.ts'
import { SOCKS_VERSION } from './socks.ts'
import { takeSocks } from './socks-door.ts'
import { Visitors, type Visitor } from './visitors.ts'
import type { Client, Credential, EgressWatch } from './watch.ts'

export interface EgressProxyOptions {
  readonly mode: Mode
  readonly destinations: readonly Destination[]
  /** What makes the names of Services whole; undefined outside a cluster. */
  readonly cluster?: Cluster | undefined
  /** Of the cluster's API server, as the environment has it. */
  readonly apiServerHost?: string | undefined
  readonly resolve: Resolve
  /** Absent: connections as the system makes them. */
  readonly dial?: Dial
  readonly now: () => number
  /** The pod's, loopback aside: nothing leads there. */
  readonly ownAddresses: () => readonly string[]
  /** The sidecar's own ports, which loopback does not lead to; absent: the usual ones. */
  readonly ownPorts?: readonly number[]
  /** Whether a port of loopback is one that leads here for one client alone. */
  readonly isForwards?: (port: number) => boolean
  readonly parent?: ParentProxy | undefined
  /** Whose a credential is; it compares in constant time. */
  readonly whoIs: (credential: Credential) => Client | undefined
  readonly watch: EgressWatch
  readonly limits?: Partial<Limits>
}

const SWEEP_MS = 1000
const OWN_KEPT_MS = 5000
const LOOPBACK = '127.0.0.1'

const isLetter = (byte: number | undefined): boolean =>
  byte !== undefined && byte >= 0x41 && byte <= 0x5a

export class EgressProxy {
  private readonly options: EgressProxyOptions
  private readonly visitors: Visitors
  private readonly desk: Desk
  private readonly door: DoorParts
  private readonly http: HttpDoor
  private readonly servers: readonly [Server, Server]
  private ownPorts: readonly number[]
  private timer: NodeJS.Timeout | undefined
  private ownKept: ReadonlySet<string> = new Set()
  private ownReadMs = -Infinity

  constructor(options: EgressProxyOptions) {
    this.options = options
    this.ownPorts = options.ownPorts ?? [MCP_PORT, ADMIN_PORT, EGRESS_PORT]
    const { now, watch, cluster, parent, resolve, whoIs } = options
    const limits = { ...LIMITS, ...options.limits }
    const stranger: EgressWatch['stranger'] = (why) => watch.stranger(why)
    this.visitors = new Visitors({ limits, now, stranger })
    const rules = {
      mode: options.mode,
      destinations: absoluteDestinations(options.destinations, cluster),
      cluster,
      isOwn: (address: Address, port: number) => this.isOwn(address, port),
    }
    const dial = options.dial ?? dialDirectly
    const apiServer = new ApiServerPlace(options.apiServerHost, cluster, resolve)
    this.desk = new Desk({
      watch,
      reach: new Reach({ rules, resolve, apiServer, dial, parent, connectMs: limits.connectMs }),
      limits,
      held: new Held(limits.heldBytes),
      now,
      cluster,
      isLenient: options.mode === 'observe',
    })
    this.door = { desk: this.desk, visitors: this.visitors, cluster, whoIs, stranger }
    this.http = new HttpDoor(this.door)
    const take = (socket: Socket): void => {
      const visitor = this.visitors.admit(socket)
      if (visitor) this.hear(visitor)
    }
    const server = (): Server => createServer({ allowHalfOpen: true, noDelay: true }, take)
    this.servers = [server(), server()]
  }

  /** Listens on loopback, in both families; returns the port. */
  async listen(port: number): Promise<number> {
    const bound = await listen(this.servers, port, LOOPBACK)
    this.ownPorts = [...this.ownPorts, bound]
    this.timer = setInterval(() => this.sweep(), SWEEP_MS)
    return bound
  }

  /** A connection that has come in where nobody but this client can come: it need not say who it is. */
  own(socket: Socket, client: Client): void {
    const visitor = this.visitors.admit(socket)
    if (!visitor) return
    if (!this.visitors.knows(visitor, client)) {
      this.desk.crowded(client, 'http')
      drop(socket)
      return
    }
    visitor.isKnown = true
    this.hear(visitor)
  }

  /** A connection that has come in at a forward's own port, and whose it is. */
  forward(socket: Socket, client: Client, destination: Destination): void {
    const visitor = this.visitors.admit(socket)
    if (!visitor) return
    const [rule] = absoluteDestinations([destination], this.options.cluster)
    const target = rule && targetOf(rule)
    if (!target || !this.visitors.knows(visitor, client)) {
      if (target) this.desk.crowded(client, 'forward', target)
      drop(socket)
      return
    }
    socket.pause()
    this.visitors.begins(visitor)
    void this.enter(socket, client, target, rule)
  }

  /** Ends all that a client has open: its child has gone. */
  end(key: string): void {
    this.desk.end(key)
    this.visitors.drop(key)
  }

  /** Connections that are open. */
  get connections(): number {
    return this.visitors.count
  }

  /** Ends what has taken too long; by itself once in a second, while it listens. */
  sweep(): void {
    const nowMs = this.options.now()
    this.visitors.sweep(nowMs)
    this.desk.sweep(nowMs)
  }

  close(): void {
    clearInterval(this.timer)
    for (const server of this.servers) server.close()
    this.desk.end()
    this.visitors.drop()
  }

  private hear(visitor: Visitor): void {
    visitor.socket.once('data', (first: Buffer) => {
      if (first[0] === SOCKS_VERSION) takeSocks(this.door, visitor, first)
      else if (isLetter(first[0])) this.http.take(visitor, first)
      else this.sendAway(visitor)
    })
  }

  private async enter(
    socket: Socket,
    client: Client,
    target: Target,
    forward: Destination,
  ): Promise<void> {
    const asking = { how: 'forward', client, target, waiting: socket, forward } as const
    const entered = await this.desk.enter(asking)
    if (!entered.ok) {
      // Its protocol is unknown: a reset is all that can be said.
      drop(socket)
      return
    }
    this.desk.tunnel(entered.value, socket, Buffer.alloc(0))
    socket.resume()
  }

  private sendAway({ socket, client }: Visitor): void {
    this.desk.unreadable(client, 'http')
    drop(socket)
  }

  private isOwn(address: Address, port: number): boolean {
    if (kindOf(address) === 'loopback') {
      return this.ownPorts.includes(port) || this.options.isForwards?.(port) === true
    }
    return this.podAddresses().has(textOf(address))
  }

  /** The pod's addresses, read anew every few seconds: asking the system takes as long as a connection does. */
  private podAddresses(): ReadonlySet<string> {
    const nowMs = this.options.now()
    if (nowMs - this.ownReadMs >= OWN_KEPT_MS) {
      this.ownReadMs = nowMs
      this.ownKept = new Set(
        this.options.ownAddresses().flatMap((text) => {
          const address = addressOf(text.replace(/%.*$/, ''))
          return address ? textOf(address) : []
        }),
      )
    }
    return this.ownKept
  }
}

const targetOf = ({ hosts, port }: Destination): Target | undefined => {
  if (hosts.kind === 'name') return { host: { kind: 'name', name: hosts.name }, port }
  return hosts.kind === 'range'
    ? { host: { kind: 'address', address: hosts.range.bytes }, port }
    : undefined
}
