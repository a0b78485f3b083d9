// The listener before one that speaks HTTP, where that is to speak TLS: it takes the port, lets connections shake hands,
// and gives those that have done so to HTTP. Nobody is known yet: connections that have not finished are few, and each has
// little time; where too many come, the oldest goes. A client that speaks plain HTTP here is told so.

import { constants } from 'node:crypto'
import type { Server as HttpServer } from 'node:http'
import { Server, type Socket } from 'node:net'
import { createServer, type TLSSocket, type Server as TlsServer } from 'node:tls'
import { plainAnswer } from './plain-answer.ts'
import { Unspoken } from '../http/unspoken.ts'
import { MIN_VERSION, type KeyPair } from '../../shared/key-pair.ts'
import { letParserPause } from '../../shared/paused-parser.ts'
import { endsOf } from '../../shared/socket-ends.ts'

/** Each of them costs a key operation before anything is known of its client. */
const MAX_UNFINISHED = 256
const HANDSHAKE_MS = 10_000
/** What one that has finished holds, most of it OpenSSL's. */
const CONNECTION_BYTES = 64 * 1024
const MAX_CONNECTIONS = 1024
/** For what a client of plain HTTP goes on sending. */
const PARTING_MS = 1000
const NOTHING = Buffer.alloc(0)

/** What became of a connection's beginning. */
export type Handshake = 'done' | 'failed' | 'late' | 'crowded' | 'plain' | 'refused'

export interface Clients {
  /** Those to whom their chains have to lead, in PEM. */
  readonly authorities: string
  /**
   * Looks at who has shaken hands, by the authorities of that moment: whether it is somebody. `by`: those of when it began,
   * to which its chain led; a handshake goes on by them when there are others.
   */
  readonly isKnown: (socket: TLSSocket, by: string) => boolean
  /** Nobody else is let in. */
  readonly areAlone: boolean
}

export interface DoorwayOptions {
  /** Does not listen by itself. */
  readonly http: HttpServer
  readonly pair: KeyPair
  readonly onHandshake: (outcome: Handshake) => void
  /** Hears of the name that a client has called by, where it says one. */
  readonly onName: (name: string) => void
  /** Hears of what a connection has held, once that has ended: nothing else tells that memory is free. */
  readonly onFreed: (bytes: number) => void
  /** Whether clients are asked for a certificate; whoever has none, or any, is let in. */
  readonly asksForCertificate?: boolean | undefined
  /** Who may come by a certificate; absent: nobody is known by one. */
  readonly clients?: Clients | undefined
  /** Tests have no time for the default. */
  readonly handshakeMs?: number | undefined
  /** How long one that has shaken hands may be silent. */
  readonly keptMs?: number | undefined
}

interface Unfinished {
  readonly socket: Socket
  readonly timer: NodeJS.Timeout
  /** By which its client's chain is judged; absent: its first bytes have not come, or nobody is known by one. */
  readonly authorities?: string | undefined
}

export class Doorway extends Server {
  private readonly options: DoorwayOptions
  private readonly tls: TlsServer
  private readonly sockets = new Set<Socket>()
  /** Those that have, and have said nothing since. */
  private readonly unspoken: Unspoken
  /** Those that have not shaken hands, the oldest first, with what ends them. */
  private readonly unfinished = new Map<string, Unfinished>()
  private pair: KeyPair
  /** What handshakes that begin now go by. */
  private authorities: string | undefined

  constructor(options: DoorwayOptions) {
    super({ noDelay: true }, (socket) => this.admit(socket))
    this.options = options
    this.pair = options.pair
    this.unspoken = new Unspoken(this, options.keptMs)
    this.authorities = options.clients?.authorities
    this.maxConnections = MAX_CONNECTIONS
    this.tls = createServer({
      ...termsOf(options.pair, this.authorities),
      ALPNProtocols: ['http/1.1'],
      requestCert: options.asksForCertificate === true || options.clients !== undefined,
      rejectUnauthorized: options.clients?.areAlone === true,
    })
    this.tls.on('secureConnection', (socket: TLSSocket) => this.enter(socket))
    this.tls.on('tlsClientError', (_error: Error, socket: TLSSocket) => {
      this.finish(endsOf(socket), 'failed')
      socket.destroy()
    })
    // HTTP looks after its connections' times from when it is told that it listens.
    this.on('listening', () => options.http.emit('listening'))
  }

  /** From now on this is shown; connections that are there go on. What OpenSSL makes of it is 40 KiB that no collector counts. */
  show(pair: KeyPair): void {
    if (pair === this.pair && this.authorities === this.options.clients?.authorities) return
    this.pair = pair
    this.renew()
  }

  /** From now on clients' authorities are what they are now. */
  renew(): void {
    this.authorities = this.options.clients?.authorities
    this.tls.setSecureContext(termsOf(this.pair, this.authorities))
  }

  override close(callback?: (error?: Error) => void): this {
    this.options.http.close()
    this.options.http.closeIdleConnections()
    for (const ends of this.unfinished.keys()) this.cut(ends, 'failed')
    this.unspoken.close()
    return super.close(callback)
  }

  closeAllConnections(): void {
    for (const socket of this.sockets) socket.destroy()
  }

  private admit(socket: Socket): void {
    // Who has gone already has no address any more.
    if (socket.remoteAddress === undefined) {
      socket.destroy()
      return
    }
    const ends = endsOf(socket)
    this.sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => {
      this.sockets.delete(socket)
      this.finish(ends, 'failed')
    })
    if (this.unfinished.size >= MAX_UNFINISHED) {
      const [oldest = ''] = this.unfinished.keys()
      this.cut(oldest, 'crowded')
    }
    const timer = setTimeout(() => this.cut(ends, 'late'), this.options.handshakeMs ?? HANDSHAKE_MS)
    this.unfinished.set(ends, { socket, timer })
    socket.once('readable', () => this.hear(ends, socket))
  }

  /** By its first bytes, which come in whatever pieces. */
  private hear(ends: string, socket: Socket, before: Buffer = NOTHING): void {
    const piece: unknown = socket.read()
    if (!Buffer.isBuffer(piece)) return
    const bytes = before.length === 0 ? piece : Buffer.concat([before, piece])
    if (plainAnswer.mayBeFor(bytes)) {
      socket.once('readable', () => this.hear(ends, socket, bytes))
      return
    }
    if (plainAnswer.isFor(bytes)) {
      this.finish(ends, 'plain')
      socket.end(plainAnswer.text)
      // What still comes is not read; a connection that is cut while bytes are unread loses its answer.
      socket.resume()
      setTimeout(() => socket.destroy(), PARTING_MS).unref()
      return
    }
    socket.unshift(bytes)
    const begun = this.unfinished.get(ends)
    if (begun) this.unfinished.set(ends, { ...begun, authorities: this.authorities })
    this.tls.emit('connection', socket)
  }

  private enter(socket: TLSSocket): void {
    socket.disableRenegotiation()
    const ends = endsOf(socket)
    const { clients } = this.options
    const by = this.unfinished.get(ends)?.authorities
    const isKnown = by !== undefined && clients?.isKnown(socket, by)
    if (clients?.areAlone && !isKnown) {
      this.finish(ends, 'refused')
      socket.destroy()
      return
    }
    this.finish(ends, 'done')
    socket.once('close', () => this.options.onFreed(CONNECTION_BYTES))
    if (typeof socket.servername === 'string') this.options.onName(socket.servername)
    this.unspoken.hold(socket, () => {
      this.options.http.emit('connection', socket)
      letParserPause(socket)
    })
  }

  /** Its beginning is over; told once. */
  private finish(ends: string, outcome: Handshake): Socket | undefined {
    const one = this.unfinished.get(ends)
    if (!one) return undefined
    clearTimeout(one.timer)
    this.unfinished.delete(ends)
    this.options.onHandshake(outcome)
    return one.socket
  }

  private cut(ends: string, outcome: Handshake): void {
    this.finish(ends, outcome)?.destroy()
  }
}

const termsOf = ({ cert, key }: KeyPair, authorities: string | undefined) =>
  ({
    cert,
    key,
    minVersion: MIN_VERSION,
    ...(authorities === undefined
      ? {}
      : {
          // Without any it would be whomever all the world trusts.
          ca: authorities === '' ? [] : authorities,
          // A bundle may hold authorities that are no roots.
          allowPartialTrustChain: true,
          // What is taken up again has not its whole chain any more.
          secureOptions: constants.SSL_OP_NO_TICKET,
        }),
  }) as const
