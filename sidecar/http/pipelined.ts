// Requests that a client has sent before it has the answer to its last one, on the same connection. Hardly anybody does;
// who does it a thousand times has as many requests at once as if there were no bound on connections.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Most of them, on all connections together. */
const MAX_PIPELINED = 256

type Request = Pick<IncomingMessage, 'socket'>

export class Pipelined {
  private readonly bySocket = new Map<Socket, Set<ServerResponse>>()
  private count = 0

  /** False where there are too many: the connection is cut. */
  admit({ socket }: Request, response: ServerResponse): boolean {
    // Node gives a response its socket when those before it are complete.
    if (response.socket !== null) return true
    if (this.count >= MAX_PIPELINED) {
      socket.destroy()
      return false
    }
    this.count++
    const waiting = this.on(socket).add(response)
    response.once('close', () => {
      if (waiting.delete(response)) this.count--
    })
    return true
  }

  private on(socket: Socket): Set<ServerResponse> {
    const known = this.bySocket.get(socket)
    if (known) return known
    const waiting = new Set<ServerResponse>()
    this.bySocket.set(socket, waiting)
    socket.once('close', () => {
      this.bySocket.delete(socket)
      // Of a connection that has gone Node tells the first response alone.
      for (const response of waiting) response.destroy()
    })
    return waiting
  }
}
