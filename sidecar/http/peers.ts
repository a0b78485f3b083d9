// The clients' connections: who looks for those that are dead, and who counts their bytes.

import type { Socket } from 'node:net'
import { DeadPeers } from './dead-peers.ts'
import { Traffic } from './traffic.ts'

export class Peers {
  readonly traffic = new Traffic()
  private readonly dead = new DeadPeers()

  add(socket: Socket): void {
    this.dead.add(socket)
    this.traffic.add(socket)
  }

  sweep(nowMs: number): void {
    this.dead.sweep(nowMs)
  }
}
