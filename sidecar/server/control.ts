// The sidecar's end of the control socket: takes one shim at a time, asks it for children, and
// tells each child what the shim saw. When the connection drops, every child is lost: the shim kills them.

import type { Log } from '../../shared/log.ts'
import { broken, type Spawned } from './child-ends.ts'
import { Children, type ChildrenOptions } from './children.ts'
import type { Peer } from './connection.ts'
import { ControlSocket, pipesIn } from './control-socket.ts'
import type { Tenant } from './source.ts'
import type { Underway } from './underway.ts'

const NOT_CONNECTED = "the shim in the server's container is not connected"
const LOST = "the connection to the server's container was lost; it may have restarted"

export interface ControlOptions extends Omit<ChildrenOptions, 'pipesDir' | 'send'> {
  readonly runDir: string
  readonly log: Log
  /** Judges the shim that has connected; a sentence refuses it. */
  readonly admit: (peer: Peer) => string | undefined
  readonly onTerminating: (leftMs: number) => void
  /** A shim has come, or the one that was there has gone (undefined). */
  readonly onPeer: (peer: Peer | undefined) => void
}

export class Control {
  private readonly options: ControlOptions
  private readonly socket: ControlSocket
  private readonly children: Children

  constructor(options: ControlOptions) {
    const { runDir, log, admit, onTerminating } = options
    this.options = options
    this.socket = new ControlSocket({
      runDir,
      log,
      admit,
      onAdmitted: (peer) => this.admitted(peer),
      onEvent: (event) => {
        if (event.kind === 'terminating') onTerminating(event.leftMs)
        else if (event.kind !== 'supervision') this.children.heard(event)
      },
      onLost: () => this.lost(),
    })
    this.children = new Children({
      ...options,
      pipesDir: pipesIn(runDir),
      send: (frame) => this.socket.connection?.send(frame),
    })
  }

  /** Listens; waits first where an earlier run has left its traces. */
  listen(): Promise<void> {
    return this.socket.listen()
  }

  /** Whether a shim is connected and has been admitted. */
  get isReady(): boolean {
    return this.socket.connection?.isAdmitted ?? false
  }

  /** Children that are not gone yet, those being started included. */
  get count(): number {
    return this.children.count
  }

  /** Children whose end has been asked for and that are not gone yet. */
  get ending(): number {
    return this.children.ending
  }

  /** What is in flight with all of them. */
  get underway(): Iterable<Underway> {
    return this.children.underway
  }

  /** Who holds the others. */
  get tenants(): Iterable<Tenant> {
    return this.children.tenants
  }

  /** Resolves when the next child has gone. */
  whenFreed(): Promise<void> {
    return this.children.whenFreed()
  }

  /** Starts a child for whoever holds its place from then on. */
  spawn(tenant: Tenant): Promise<Spawned> {
    return this.isReady ? this.children.spawn(tenant) : Promise.resolve(broken(NOT_CONNECTED))
  }

  /** Hands a spare child to whoever holds its place from now on; false where it has gone. */
  hand(child: number | undefined, tenant: Tenant): boolean {
    return child !== undefined && this.children.hand(child, tenant)
  }

  /** Tells the shim to end everything and exit with a code; resolves when it has gone, or is overdue. */
  async exit(code: number): Promise<void> {
    this.children.isLeaving = true
    if (this.isReady) await this.socket.connection?.exit(code)
  }

  close(): void {
    this.children.isLeaving = true
    this.socket.close()
  }

  private admitted(peer: Peer): void {
    const { log, onPeer } = this.options
    this.children.isLeaving = false
    log.info('the shim has connected', { uid: peer.uid, landlock: peer.landlockAbi })
    onPeer(peer)
  }

  private lost(): void {
    if (!this.children.isLeaving) {
      this.options.log.warn('the shim has gone, and its server processes with it', {
        processes: this.children.count,
        why: "the server's container was restarted, or it had no memory left: its last state says which",
      })
    }
    this.children.lost(LOST)
    this.options.onPeer(undefined)
  }
}
