// A client and whom it was let through to: what is between them passes unread, save for what a TLS client says first. Owns
// both sockets from here on; whichever way it ends, both are closed and their attempt is told.

import type { Socket } from 'node:net'
import { drop } from './drop.ts'
import type { Held, Holding } from './held.ts'
import type { Inlet } from '../reach/inlet.ts'
import type { Limits } from './limits.ts'
import { pump } from './pump.ts'
import type { Refused, TlsGate } from './tls-gate.ts'
import type { Attempt, Client, Cut } from './watch.ts'

export interface TunnelParts {
  readonly socket: Socket
  readonly upstream: Socket
  /** Where what it says comes; undefined: as from any socket. */
  readonly inlet: Inlet | undefined
  readonly client: Client
  readonly attempt: Attempt
  readonly gate: TlsGate
  /** Where the destination is not heard before the client has asked for it by name. */
  readonly isTlsPort: boolean
  readonly limits: Limits
  readonly held: Held
  readonly now: () => number
  /** What has become of the attempt, as soon as that is known; once. */
  readonly settle: (refused: Refused | undefined) => void
  readonly onEnd: (tunnel: Tunnel) => void
}

const NOTHING = Buffer.alloc(0)
/** Who has gone without a word is asked whether it is there. */
const KEEP_ALIVE_MS = 60_000

export class Tunnel implements Holding {
  private readonly parts: TunnelParts
  private readonly sinceMs: number
  private movedMs: number
  private isSettled = false
  /** What the client has said first goes on. */
  private isHeard = false
  private isGateOpen = false
  private isOver = false
  private isHalf = false
  private isAsked = false
  private heldUp = 0
  private heldDown = 0
  /** Where the destination waits until the client is heard. */
  private listen: (() => void) | undefined

  constructor(parts: TunnelParts) {
    this.parts = parts
    this.sinceMs = parts.now()
    this.movedMs = this.sinceMs
  }

  get client(): Client {
    return this.parts.client
  }

  /** `early`: what came with the client's request. */
  start(early: Buffer): void {
    const { socket, upstream, isTlsPort } = this.parts
    this.watch(socket, upstream)
    this.watch(upstream, socket)
    socket.on('end', () => this.saidAll())
    pump(socket, upstream, {
      piece: (piece) => this.said(piece),
      held: (bytes) => {
        this.heldUp = bytes
        this.hold()
      },
    })
    this.listen = () => this.listenTo(upstream)
    if (early.length > 0) socket.emit('data', early)
    if (!isTlsPort) this.hear()
  }

  /** Once in a while: ends what has stood still, or gone on, for too long. */
  sweep(nowMs: number): void {
    const { limits } = this.parts
    const stillMs = nowMs - this.movedMs
    const openMs = nowMs - this.sinceMs
    if (!this.isHeard && openMs >= limits.helloMs) this.refuse('no-tls')
    else if (stillMs >= (this.isHalf ? limits.halfIdleMs : limits.idleMs)) this.end('idle')
    else if (openMs >= limits.totalMs) this.end('total')
    else if (stillMs >= KEEP_ALIVE_MS && !this.isAsked) {
      // Not at its start: most connections are over by then, and each option is a call of the system's.
      this.isAsked = true
      this.parts.upstream.setKeepAlive(true, KEEP_ALIVE_MS)
    }
  }

  endForMemory(): void {
    this.end('memory')
  }

  /** With a reason: both ends are told that it was cut. */
  end(cut?: Cut): void {
    if (this.isOver) return
    this.isOver = true
    const { socket, upstream, inlet, attempt, held, onEnd } = this.parts
    this.settle(undefined)
    held.set(this, 0)
    inlet?.release()
    for (const one of [socket, upstream]) {
      if (cut === undefined) one.destroy()
      else drop(one)
    }
    attempt.ended(cut)
    onEnd(this)
  }

  private listenTo(upstream: Socket): void {
    const { socket, inlet } = this.parts
    if (inlet) {
      upstream.on('end', () => {
        if (this.isThrough()) this.end()
        else socket.end()
      })
      inlet.start(upstream, (piece) => this.take(piece, inlet))
      return
    }
    pump(upstream, socket, {
      piece: (piece) => this.answered(piece),
      held: (bytes) => this.holdDown(bytes),
    })
    // A parent proxy's answer was read from it; then it was held.
    upstream.resume()
  }

  /** False where the client has not taken all of it yet. */
  private take(piece: Buffer, inlet: Inlet): boolean {
    const { socket, upstream } = this.parts
    const bytes = this.answered(piece)
    if (!bytes) return false
    socket.write(bytes)
    if (socket.writableLength === 0) return true
    this.holdDown(inlet.bytes)
    // Behind all that waits.
    socket.write(NOTHING, () => {
      this.holdDown(0)
      inlet.isFree(upstream)
    })
    return false
  }

  private watch(one: Socket, other: Socket): void {
    one.on('error', () => {
      drop(other)
      this.end()
    })
    one.on('end', () => {
      this.isHalf = true
    })
    one.on('close', () => {
      // Closed both ways: what is still to be written to the other goes, and what it says nobody hears.
      if (other.destroyed || other.writableFinished) this.end()
      else other.destroySoon()
    })
  }

  private said(piece: Buffer): Buffer | undefined {
    this.movedMs = this.parts.now()
    if (this.isGateOpen) return this.count(piece, true)
    const { bytes, isOpen, refused } = this.parts.gate.push(piece)
    this.isGateOpen = isOpen
    if (refused !== undefined && !isOpen) {
      this.refuse(refused)
      return undefined
    }
    if (bytes.length === 0) return undefined
    this.settle(refused)
    this.hear()
    return this.count(bytes, true)
  }

  private answered(piece: Buffer): Buffer | undefined {
    this.movedMs = this.parts.now()
    this.settle(undefined)
    return this.count(piece, false)
  }

  private hear(): void {
    this.isHeard = true
    this.listen?.()
    this.listen = undefined
  }

  private settle(refused: Refused | undefined): void {
    if (this.isSettled) return
    this.isSettled = true
    this.parts.settle(refused)
  }

  private refuse(refused: Refused): void {
    this.settle(refused)
    this.end(refused)
  }

  /** Part of a ClientHello is none. */
  private saidAll(): void {
    if (this.parts.gate.isWaiting) this.refuse('no-tls')
    else if (this.isThrough()) this.end()
  }

  /** Both have said all, and have been given all: to close says it, and to end each way before that takes as long as to begin. */
  private isThrough(): boolean {
    const { socket, upstream } = this.parts
    return [socket, upstream].every((one) => one.readableEnded && one.writableLength === 0)
  }

  private count(bytes: Buffer, isUp: boolean): Buffer | undefined {
    const { attempt, client } = this.parts
    if (this.isOver) return undefined
    attempt.bytes(isUp ? bytes.length : 0, isUp ? 0 : bytes.length)
    if (!client.overBudget()) return bytes
    this.end('bytes')
    return undefined
  }

  private holdDown(bytes: number): void {
    this.heldDown = bytes
    this.hold()
  }

  private hold(): void {
    if (!this.isOver) this.parts.held.set(this, this.heldUp + this.heldDown)
  }
}
