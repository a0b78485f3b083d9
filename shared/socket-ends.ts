// By what a connection is known through all its layers.

import type { Socket } from 'node:net'

/** The same of a connection and of the TLS over it, of which Node makes two sockets. */
export const endsOf = ({ remoteAddress, remotePort, localAddress, localPort }: Socket): string =>
  [remoteAddress, remotePort, localAddress, localPort].join(' ')
