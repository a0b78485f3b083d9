// The end of a connection that was cut: whoever is at the other end must not take it for a good one.

import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** By a reset; TLS says by itself that its end was none. */
export const drop = (socket: Socket): void => {
  if (socket.destroyed) return
  if (socket instanceof TLSSocket) socket.destroy()
  else socket.resetAndDestroy()
}
