// Connections to the proxy, from the moment that they are taken: how many there may be, in all, of one client, and of those who
// have not said yet who they are. Whoever is too many goes; who says nothing goes first.

import type { Socket } from 'node:net'
import { drop } from './drop.ts'
import type { Limits } from './limits.ts'
import type { Client, Stranger } from './watch.ts'

/** For whoever has had a refusal; longer than it takes to read one. */
const LEAVING_MS = 2000

export class Visitor {
  readonly socket: Socket
  /** Of whom it is known to be, for as long as it is open. */
  client: Client | undefined
  /** Nobody but its client can have come this way: it need not say who it is. */
  isKnown = false
  /** What goes on on it: none means that a head is awaited. */
  underway = 0
  /** How often it has named itself by what is not known. */
  mistakes = 0
  /** It was asked who it is, once, and has not said so: that is told when it goes. */
  isAsked = false
  /** It has been told the last; what it still says is not read for long. */
  isLeaving = false
  /** When it began to owe us a head. */
  sinceMs: number

  constructor(socket: Socket, nowMs: number) {
    this.socket = socket
    this.sinceMs = nowMs
  }

  /** Whom it names, where it may be that one. */
  itself(named: Client | undefined): Client | undefined {
    return this.isKnown && named?.key !== this.client?.key ? undefined : named
  }
}

export interface VisitorsParts {
  readonly limits: Limits
  readonly now: () => number
  readonly stranger: (why: Stranger) => void
}

export class Visitors {
  private readonly parts: VisitorsParts
  private readonly all = new Set<Visitor>()
  /** The first of them has been silent for longest. */
  private readonly strangers = new Set<Visitor>()
  private readonly byClient = new Map<string, number>()

  constructor(parts: VisitorsParts) {
    this.parts = parts
  }

  get count(): number {
    return this.all.size
  }

  /** Undefined where there are too many; then the socket is closed. */
  admit(socket: Socket): Visitor | undefined {
    const { limits, now, stranger } = this.parts
    socket.on('error', () => undefined)
    if (this.all.size >= limits.connections) {
      stranger('crowd')
      drop(socket)
      return undefined
    }
    if (this.strangers.size >= limits.strangers) this.sendAway()
    const visitor = new Visitor(socket, now())
    this.all.add(visitor)
    this.strangers.add(visitor)
    socket.once('close', () => this.left(visitor))
    return visitor
  }

  /**
   * It has said who it is. False where its client has too many already, or more than are left for others, so that whoever comes
   * late finds room; a connection is one client's to its end.
   */
  knows(visitor: Visitor, client: Client): boolean {
    if (visitor.client) return visitor.client.key === client.key
    const { connections, connectionsPerClient } = this.parts.limits
    const count = this.byClient.get(client.key) ?? 0
    const left = connections - this.all.size + 1
    if (count >= connectionsPerClient || count > left) return false
    this.byClient.set(client.key, count + 1)
    visitor.client = client
    this.strangers.delete(visitor)
    return true
  }

  /**
   * It has asked for something without a word of who it is. Some programs do so first, to hear how they may say it (git, and
   * whatever lets curl choose): nobody is told of it where it names itself then, on the same connection.
   */
  unnamed(visitor: Visitor): void {
    if (visitor.client || visitor.isAsked) this.parts.stranger('no-credential')
    else visitor.isAsked = true
  }

  begins(visitor: Visitor): void {
    visitor.underway++
  }

  ends(visitor: Visitor): void {
    visitor.underway--
    visitor.sinceMs = this.parts.now()
  }

  /** It was told that it goes nowhere: it has a moment to read that. */
  leaves(visitor: Visitor): void {
    visitor.isLeaving = true
    visitor.sinceMs = this.parts.now()
  }

  sweep(nowMs: number): void {
    const { limits } = this.parts
    for (const visitor of this.all) {
      const waitedMs = nowMs - visitor.sinceMs
      if (visitor.isLeaving) {
        if (waitedMs >= LEAVING_MS) visitor.socket.destroy()
      } else if (!visitor.client) {
        if (waitedMs < limits.headMs) continue
        this.lose(visitor, 'late')
        drop(visitor.socket)
      } else if (visitor.underway === 0 && waitedMs >= limits.halfIdleMs) {
        visitor.socket.destroy()
      }
    }
  }

  /** Cuts off all of one client's, or all there are. */
  drop(key?: string): void {
    for (const { client, socket } of this.all) {
      if (key === undefined || client?.key === key) drop(socket)
    }
  }

  private sendAway(): void {
    const [longest] = this.strangers
    if (!longest) return
    this.lose(longest, 'crowd')
    drop(longest.socket)
    this.left(longest)
  }

  /** Nobody will know who it was. */
  private lose(visitor: Visitor, why: Stranger): void {
    this.parts.stranger(visitor.isAsked ? 'no-credential' : why)
    visitor.isAsked = false
  }

  private left(visitor: Visitor): void {
    if (!this.all.delete(visitor)) return
    if (visitor.isAsked && !visitor.client) this.lose(visitor, 'no-credential')
    this.strangers.delete(visitor)
    const key = visitor.client?.key
    if (key === undefined) return
    const count = (this.byClient.get(key) ?? 1) - 1
    if (count > 0) this.byClient.set(key, count)
    else this.byClient.delete(key)
  }
}
