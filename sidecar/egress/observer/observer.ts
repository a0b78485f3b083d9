// Who has gone around the proxy, by the kernel's tables of sockets of the pod's network: connections that are neither the
// sidecar's nor within the pod, and listeners on other addresses than loopback. It sees what stands when it looks: no
// connection that was refused, and no brief one. However many sockets there are, it takes one part in a hundred of a core at most.

import { isLoopback } from '../../../shared/origin.ts'
import { eachRow, type Row } from './sockets.ts'

export interface Table {
  readonly protocol: 'tcp' | 'udp'
  /** Of an address in it. */
  readonly digits: 8 | 32
  /** What stands in it now; empty where the kernel has none. */
  readonly read: () => Buffer
}

/** A connection of somebody's. */
export interface Direct {
  readonly protocol: 'tcp' | 'udp'
  readonly address: string
  readonly port: number
  /** Whose process has it. */
  readonly uid: number
}

/** Somebody listens where others than the pod's own can come. */
export interface OpenListener {
  readonly address: string
  readonly port: number
  readonly uid: number
}

export interface ObserverOptions {
  readonly tables: readonly Table[]
  /** Of this process, whose connections are known. */
  readonly ownUid: number | undefined
  /** The pod's. */
  readonly ownAddresses: readonly string[]
  /** Monotonic milliseconds, read before and behind each look. */
  readonly now: () => number
  readonly onDirect: (direct: Direct) => void
  readonly onListener: (listener: OpenListener) => void
}

const IDLE_MS = 2000
/** A look that took so long is followed by a pause that is longer by this. */
const SHARE = 100
/** Of listeners so many are told apart; more are not told. */
const MAX_LISTENERS = 64

const ANY: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

export class Observer {
  private readonly options: ObserverOptions
  /** Of connections that were there when it looked last; their number is bounded by what is read of a table. */
  private seen = new Set<number>()
  private readonly listeners = new Set<string>()
  private lookedMs = -Infinity
  private tookMs = 0

  constructor(options: ObserverOptions) {
    this.options = options
  }

  /** Called several times a second; `isBusy`: a call is in flight, or has been since the last time. */
  sweep(isBusy: boolean): void {
    const nowMs = this.options.now()
    const pauseMs = Math.max(isBusy ? 0 : IDLE_MS, this.tookMs * SHARE)
    if (nowMs - this.lookedMs < pauseMs) return
    this.lookedMs = nowMs
    this.look()
    this.tookMs = this.options.now() - nowMs
  }

  private look(): void {
    const present = new Set<number>()
    for (const { protocol, digits, read } of this.options.tables) {
      const local = new Set<string>()
      eachRow(read(), digits, (row) => {
        if (row.isListening) this.listens(row, local)
        else if (row.isConnected) {
          if (!this.seen.has(row.inode)) this.connected(row, protocol, local)
          present.add(row.inode)
        }
      })
    }
    this.seen = present
  }

  private connected(row: Row, protocol: 'tcp' | 'udp', local: ReadonlySet<string>): void {
    const { ownUid, ownAddresses, onDirect } = this.options
    const { uid, remote, remotePort } = row
    if (uid === ownUid || isLoopback(remote) || ownAddresses.includes(remote)) return
    if (isInbound(row, local)) return
    onDirect({ protocol, address: remote, port: remotePort, uid })
  }

  private listens(row: Row, local: Set<string>): void {
    const { ownUid, onListener } = this.options
    const { uid, local: address, localPort: port } = row
    local.add(`${ANY.has(address) ? '' : address} ${port}`)
    if (uid === ownUid || isLoopback(address)) return
    const key = `${address} ${port} ${uid}`
    if (this.listeners.has(key) || this.listeners.size >= MAX_LISTENERS) return
    this.listeners.add(key)
    onListener({ address, port, uid })
  }
}

/** Somebody has come to a listener; those stand first in a table. */
const isInbound = ({ local, localPort }: Row, listening: ReadonlySet<string>): boolean =>
  listening.has(` ${localPort}`) || listening.has(`${local} ${localPort}`)
