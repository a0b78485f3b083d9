// Connections on which nothing has been said yet: whoever keeps connections opens more than it needs, and asks on one of those
// minutes later. The time for a head begins at Node when HTTP is given the connection; so HTTP is given it with its first byte,
// and until then it may be silent for as long as one that has been answered. They count as the listener's connections, and
// take half of its room at most: where there are more, the one that has waited longest goes, so that who says nothing keeps
// nobody out who does.

import type { Server, Socket } from 'node:net'

/** Longer than the idle time of the proxies and gateways in front of us, so that they close first. */
export const KEPT_MS = 120_000

export class Unspoken {
  /** The first of them has waited longest. */
  private readonly sockets = new Set<Socket>()
  private readonly listener: Pick<Server, 'maxConnections'>
  private readonly patienceMs: number

  constructor(listener: Pick<Server, 'maxConnections'>, patienceMs = KEPT_MS) {
    this.listener = listener
    this.patienceMs = patienceMs
  }

  /** `spoken`: its first bytes have come, and are still to be read. One that ends before has said nothing to anybody. */
  hold(socket: Socket, spoken: () => void): void {
    const end = (): void => {
      socket.destroy()
    }
    const leave = (): void => {
      this.sockets.delete(socket)
      socket.setTimeout(0, end)
      socket.off('readable', hear).off('end', end).off('error', end).off('close', leave)
    }
    const hear = (): void => {
      const first: unknown = socket.read()
      if (!Buffer.isBuffer(first)) return
      leave()
      socket.unshift(first)
      spoken()
    }
    if (this.sockets.size >= this.listener.maxConnections / 2) this.sendAway()
    this.sockets.add(socket)
    socket.setTimeout(this.patienceMs, end)
    socket.on('readable', hear).on('end', end).on('error', end).on('close', leave)
  }

  /** Ends them all: nobody waits for an answer. */
  close(): void {
    for (const socket of this.sockets) socket.destroy()
  }

  private sendAway(): void {
    const [longest] = this.sockets
    if (!longest) return
    // Its close comes later, and more may have come by then.
    this.sockets.delete(longest)
    longest.destroy()
  }
}
