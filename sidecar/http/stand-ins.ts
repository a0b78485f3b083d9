// The ports that the server, or a bridge before it, would hold and the sidecar listens on, for MCP or to carry them. Where the server lives on
// loopback beside them they are taken at the pod's own addresses, again and again while somebody else has one, and left to
// a server that nothing holds on loopback.

import type { Log } from '../../shared/log.ts'
import { messageOf } from '../../shared/message.ts'
import { listen, type Listener } from './listen.ts'

/** How often a port is tried again that could not be taken. */
const RETRY_MS = 1000

export interface StandInsOptions {
  readonly ports: readonly number[]
  readonly addresses: readonly string[]
  /** A listener for each port; two share a place where one socket cannot take both families. */
  readonly createListener: (port: number) => Listener
  readonly log: Log
  readonly now: () => number
  /** Why not every port is ours that should be; undefined once all are. */
  readonly onFault: (fault: string | undefined) => void
}

interface Place {
  readonly port: number
  readonly address: string
  readonly pair: readonly [Listener, Listener]
}

export class StandIns {
  private readonly options: StandInsOptions
  private readonly places: readonly Place[]
  private isWanted = true
  private fault: string | undefined
  private taking: Promise<void> | undefined
  private triedMs = 0

  constructor(options: StandInsOptions) {
    const { ports, addresses, createListener } = options
    this.options = options
    this.places = ports.flatMap((port) =>
      addresses.map((address) => ({
        port,
        address,
        pair: [createListener(port), createListener(port)] as const,
      })),
    )
    for (const server of this.servers) {
      server.on('error', ({ message }) => {
        if (server.listening) options.log.error('a listener failed', { error: message })
      })
    }
  }

  get servers(): readonly Listener[] {
    return this.places.flatMap(({ pair }) => pair)
  }

  /** Takes what is not taken yet; the fault where something could not be. */
  async take(): Promise<string | undefined> {
    this.isWanted = true
    this.taking ??= this.listenAll().finally(() => {
      this.taking = undefined
    })
    await this.taking
    return this.fault
  }

  /** Leaves the ports to somebody else; connections that are open stay. */
  async giveBack(): Promise<void> {
    this.isWanted = false
    await this.taking
    if (this.isWanted) return
    for (const server of this.servers) if (server.listening) server.close()
    this.tell(undefined)
  }

  /** Tries again what could not be taken. */
  sweep(nowMs: number): void {
    if (this.isWanted && this.fault !== undefined && nowMs - this.triedMs >= RETRY_MS) {
      void this.take()
    }
  }

  private async listenAll(): Promise<void> {
    this.triedMs = this.options.now()
    let fault: string | undefined
    for (const { port, address, pair } of this.places) {
      if (pair[0].listening) continue
      try {
        await listen(pair, port, address)
      } catch (error) {
        fault ??= `port ${port} cannot be taken at ${address}: ${messageOf(error)}`
      }
    }
    this.tell(fault)
  }

  private tell(fault: string | undefined): void {
    if (fault === this.fault) return
    this.fault = fault
    const { log, onFault } = this.options
    if (fault !== undefined) log.warn(fault)
    onFault(fault)
  }
}
