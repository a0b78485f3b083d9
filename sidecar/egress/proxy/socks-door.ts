// The proxy over SOCKS5: who it is, where to, and a tunnel. One step after the other; nothing is said to whom nobody knows
// but that they are not known.

import type { Socket } from 'node:net'
import type { DoorParts } from './door-parts.ts'
import {
  CONNECTED,
  CREDENTIAL_REFUSED,
  CREDENTIAL_TAKEN,
  METHOD_CHOSEN,
  NO_METHOD,
  NO_SUCH_COMMAND,
  NOTHING_ASKED,
  readCredential,
  readGreeting,
  readSocksRequest,
  refusedReply,
  type Greeting,
  type Read,
  type SocksRequest,
} from './socks.ts'
import type { Visitor } from './visitors.ts'
import type { Client, Credential } from './watch.ts'

/** Of all that is said before a tunnel: the longest of each message. */
const MAX_BYTES = 2048

type Step = 'greeting' | 'credential' | 'request'

class Talk {
  private readonly parts: DoorParts
  private readonly visitor: Visitor
  private readonly socket: Socket
  private step: Step = 'greeting'
  private bytes: Buffer = Buffer.alloc(0)

  constructor(parts: DoorParts, visitor: Visitor) {
    this.parts = parts
    this.visitor = visitor
    this.socket = visitor.socket
  }

  begin(first: Buffer): void {
    this.socket.on('data', this.read).on('end', this.close)
    this.read(first)
  }

  private readonly close = (): void => {
    this.socket.destroy()
  }

  private readonly read = (piece: Buffer): void => {
    this.bytes = this.bytes.length === 0 ? piece : Buffer.concat([this.bytes, piece])
    while (this.next());
    if (this.bytes.length > MAX_BYTES && this.socket.listenerCount('data') > 0) this.close()
  }

  /** Takes one message; false where more has to come, or the talk is over. */
  private next(): boolean {
    if (this.socket.writableEnded || this.socket.destroyed) return false
    if (this.step === 'greeting') return this.take(readGreeting(this.bytes), this.greeted)
    if (this.step === 'credential') return this.take(readCredential(this.bytes), this.named)
    const request = readSocksRequest(this.bytes, this.parts.cluster)
    if (request === undefined || request === 'wrong') return this.take(request, () => undefined)
    this.asked(request, this.bytes.subarray(request.length))
    return false
  }

  private take<T>(message: Read<T>, then: (message: T) => void): boolean {
    if (message === undefined) return false
    if (message === 'wrong') {
      this.parts.desk.unreadable(this.visitor.client, 'socks')
      this.close()
      return false
    }
    this.bytes = this.bytes.subarray(message.length)
    then(message)
    return true
  }

  private readonly greeted = ({ canSay, canBeSilent }: Greeting): void => {
    if (canBeSilent && this.visitor.isKnown) {
      this.socket.write(NOTHING_ASKED)
      this.step = 'request'
      return
    }
    if (!canSay) {
      this.parts.stranger('no-credential')
      this.leave(NO_METHOD)
      return
    }
    this.socket.write(METHOD_CHOSEN)
    this.step = 'credential'
  }

  private readonly named = (credential: Credential): void => {
    const client = this.visitor.itself(this.parts.whoIs(credential))
    if (!client) {
      this.parts.stranger('unknown-credential')
      this.leave(CREDENTIAL_REFUSED)
      return
    }
    if (!this.parts.visitors.knows(this.visitor, client)) {
      this.parts.desk.crowded(client, 'socks')
      this.leave(CREDENTIAL_REFUSED)
      return
    }
    this.socket.write(CREDENTIAL_TAKEN)
    this.step = 'request'
  }

  private asked({ host, shown, port, isConnect }: SocksRequest, early: Buffer): void {
    const { client } = this.visitor
    if (!client) return
    this.socket.off('data', this.read).off('end', this.close).pause()
    this.parts.visitors.begins(this.visitor)
    if (host && isConnect && port > 0) {
      void this.enter(client, { host, port }, early)
      return
    }
    this.parts.desk.malformed(client, 'socks', `${shown}:${port}`)
    this.leave(isConnect ? refusedReply('malformed') : NO_SUCH_COMMAND)
  }

  /** The last that is said to it. */
  private leave(reply: Buffer): void {
    this.socket.end(reply)
    this.socket.resume()
    this.parts.visitors.leaves(this.visitor)
  }

  private async enter(
    client: Client,
    target: { readonly host: NonNullable<SocksRequest['host']>; readonly port: number },
    early: Buffer,
  ): Promise<void> {
    const { socket } = this
    const { desk } = this.parts
    const entered = await desk.enter({ how: 'socks', client, target, waiting: socket })
    if (!entered.ok) {
      this.leave(refusedReply(entered.error.why))
      return
    }
    socket.write(CONNECTED)
    desk.tunnel(entered.value, socket, early)
    socket.resume()
  }
}

/** A connection with what it has said already. */
export const takeSocks = (parts: DoorParts, visitor: Visitor, first: Buffer): void => {
  new Talk(parts, visitor).begin(first)
}
