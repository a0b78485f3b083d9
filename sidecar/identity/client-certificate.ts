// The certificate that a client has shown for its connection, by its thumbprint (RFC 8705, section 3.1). The handshake has
// proved that the client holds its key; who signed it is nobody's business here: the token's issuer knew it.

import { hash } from 'node:crypto'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** Undefined where none was shown. */
export const thumbprintOf = (socket: Socket): string | undefined => {
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
  return certificate && hash('sha256', certificate.raw, 'base64url')
}
