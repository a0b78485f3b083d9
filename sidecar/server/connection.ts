// One control connection, from the moment somebody connects until it drops: whether it is a shim that may serve
// us, and what it says. Fails closed: what breaks the protocol ends the connection.

import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../../shared/log.ts'
import { messageOf } from '../../shared/message.ts'
import {
  exitFrame,
  FrameReader,
  helloFrame,
  PROTOCOL_VERSION,
  type ShimEvent,
  type Shown,
} from './control-frame.ts'

/** A shim says who it is at once; anything else shall not keep its place. */
const HELLO_TIMEOUT_MS = 5000
/** After EXIT the shim ends its children and goes. */
const EXIT_TIMEOUT_MS = 3000

/** What the shim has said of itself. */
export interface Peer {
  readonly uid: number
  readonly landlockAbi: number
  /** It runs one command, and starts no children. */
  readonly hasOneCommand: boolean
  /** What its processes reach can be its to decide. */
  readonly canConfine: boolean
}

type Hello = ShimEvent & { kind: 'hello' }

/** What an admitted shim says. */
export type News = Exclude<ShimEvent, { kind: 'hello' }>

export interface ConnectionOptions {
  readonly log: Log
  /** Whether it is the shim at all; a sentence refuses it. */
  readonly prove: (shown: Shown) => string | undefined
  /** Judges the shim that has connected; a sentence refuses it. */
  readonly admit: (peer: Peer) => string | undefined
  readonly onAdmitted: (peer: Peer) => void
  readonly onEvent: (event: News) => void
  /** It has dropped, whoever ended it. */
  readonly onClosed: () => void
}

export class Connection {
  /** Whether it is a shim's that has been admitted; stays so after the end. */
  isAdmitted = false
  private readonly socket: Socket
  private readonly options: ConnectionOptions
  private readonly frames = new FrameReader()
  private readonly silent: NodeJS.Timeout

  constructor(socket: Socket, options: ConnectionOptions) {
    this.socket = socket
    this.options = options
    this.silent = setTimeout(() => this.refuse('it said nothing'), HELLO_TIMEOUT_MS)
    // Its end follows, and is told: whoever is killed resets the connection, or does not.
    socket.on('error', (error) =>
      options.log.debug('the control connection has failed', { error: messageOf(error) }),
    )
    socket.on('close', () => {
      clearTimeout(this.silent)
      options.onClosed()
    })
    socket.on('data', (chunk: Buffer) => this.take(chunk))
    socket.write(helloFrame())
  }

  send(frame: Buffer): void {
    this.socket.write(frame)
  }

  /** Tells the shim to end everything and exit with a code; resolves when it has gone, or is overdue. */
  async exit(code: number): Promise<void> {
    this.send(exitFrame(code))
    const late = new AbortController()
    const gone = new Promise<void>((resolve) => this.socket.once('close', () => resolve()))
    await Promise.race([
      gone,
      sleep(EXIT_TIMEOUT_MS, undefined, { signal: late.signal }).catch(() => undefined),
    ])
    late.abort()
  }

  /** Ends it at once: when this returns, the other side can see it. */
  close(): void {
    this.socket.destroy()
  }

  private take(chunk: Buffer): void {
    const events = this.frames.push(chunk)
    if (events.ok) for (const event of events.value) this.event(event)
    if (this.isAdmitted) clearTimeout(this.silent)
    if (!events.ok) this.refuse(`it sent ${events.error}`)
  }

  private event(event: ShimEvent): void {
    // Whoever was put out is not heard any more, whatever he has said by then.
    if (this.socket.destroyed) return
    if (event.kind === 'hello') this.hello(event)
    else if (this.isAdmitted) this.options.onEvent(event)
    else this.refuse('it spoke before its hello')
  }

  private hello(event: Hello): void {
    const why = this.isAdmitted ? 'it said hello twice' : this.whyNot(event)
    if (why !== undefined) {
      this.refuse(why)
      return
    }
    this.isAdmitted = true
    this.options.onAdmitted(event)
  }

  /** The sentence that refuses it. */
  private whyNot(event: Hello): string | undefined {
    return event.version === PROTOCOL_VERSION
      ? (this.options.prove(event.shown) ?? this.options.admit(event))
      : `it speaks control protocol ${event.version}, not ${PROTOCOL_VERSION}`
  }

  private refuse(why: string): void {
    this.options.log.error('the shim was refused', { why })
    this.close()
  }
}
