// Who may come in by a port of one child's. Anybody in the pod can connect to loopback; the shim alone connects for the child, and says from
// which port. Whoever is not announced within a moment is put out. Bounded on both sides.

import type { Socket } from 'node:net'

/** What the shim says, and the connection itself, come by two ways. */
const WITHIN_MS = 1000
/** Of each; beyond it the first is let go. */
const MOST = 256

export class LedVisitors {
  private readonly take: (socket: Socket) => void
  private readonly announced = new Map<number, NodeJS.Timeout>()
  private readonly waiting = new Map<Socket, NodeJS.Timeout>()

  constructor(take: (socket: Socket) => void) {
    this.take = take
  }

  /** Somebody has connected. */
  readonly came = (socket: Socket): void => {
    socket.on('error', () => socket.destroy())
    const from = socket.remotePort
    if (from !== undefined && this.forget(this.announced, from)) {
      this.take(socket)
      return
    }
    this.keep(this.waiting, socket, (one) => one.destroy())
    socket.once('close', () => this.forget(this.waiting, socket))
  }

  /** The shim leads the child there, from this port. */
  led(from: number): void {
    for (const socket of this.waiting.keys()) {
      if (socket.remotePort !== from) continue
      this.forget(this.waiting, socket)
      this.take(socket)
      return
    }
    this.forget(this.announced, from)
    this.keep(this.announced, from, () => undefined)
  }

  close(): void {
    for (const from of this.announced.keys()) this.forget(this.announced, from)
    for (const socket of this.waiting.keys()) socket.destroy()
  }

  private keep<K>(map: Map<K, NodeJS.Timeout>, key: K, late: (key: K) => void): void {
    const [first] = map.keys()
    const end = (one: K): void => {
      this.forget(map, one)
      late(one)
    }
    if (first !== undefined && map.size >= MOST) end(first)
    map.set(
      key,
      setTimeout(() => end(key), WITHIN_MS),
    )
  }

  private forget<K>(map: Map<K, NodeJS.Timeout>, key: K): boolean {
    clearTimeout(map.get(key))
    return map.delete(key)
  }
}
