// Bytes that went over clients' connections, heads included: the sockets count them, and are asked when somebody wants to know.

import type { Socket } from 'node:net'

export interface Bytes {
  received: number
  sent: number
}

const addTo = (sum: Bytes, { bytesRead, bytesWritten }: Socket): Bytes => {
  sum.received += bytesRead
  sum.sent += bytesWritten
  return sum
}

export class Traffic {
  private readonly open = new Set<Socket>()
  private readonly past: Bytes = { received: 0, sent: 0 }

  /** Counts a connection from now on, and after its end. */
  add(socket: Socket): void {
    this.open.add(socket)
    socket.once('close', () => {
      this.open.delete(socket)
      addTo(this.past, socket)
    })
  }

  /** Connections that are open. */
  get connections(): number {
    return this.open.size
  }

  bytes(): Readonly<Bytes> {
    return [...this.open].reduce(addTo, { ...this.past })
  }
}
