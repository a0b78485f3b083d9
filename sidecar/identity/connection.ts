// What a connection shows of its client while nobody knows yet who calls.

import { hash } from 'node:crypto'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

export interface Connection {
  /**
   * The thumbprint of the certificate that the client has shown (RFC 8705, section 3.1); undefined where it has shown none. The
   * handshake has proved that the client holds its key; who signed it is nobody's business here: the token's issuer knew it.
   */
  certificate(): string | undefined
  /** Where it comes from: a proxy's, where one stands in between. */
  address(): string
}

export class Shown implements Connection {
  private readonly socket: Socket

  constructor(socket: Socket) {
    this.socket = socket
  }

  certificate(): string | undefined {
    const { socket } = this
    const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
    return certificate && hash('sha256', certificate.raw, 'base64url')
  }

  address(): string {
    return this.socket.remoteAddress ?? ''
  }
}
