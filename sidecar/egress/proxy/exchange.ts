// One request in absolute form and its answer, on a connection of its own to where it goes: each is judged for itself, and
// nothing of one can be taken for a part of another. Written anew from what was parsed; the bodies pass as they come.

import {
  request as send,
  type ClientRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { Desk, Entered, Underway } from './desk.ts'
import type { Holding } from './held.ts'
import { respond, refusalAnswer } from './http-reply.ts'
import { targetText } from '../reach/judge.ts'
import { pump } from './pump.ts'
import { forwardedHeaders, passedHeaders, valuesOf, type PlainRequest } from './request-target.ts'
import type { Client, Cut } from './watch.ts'

const MAX_ANSWER_HEAD = 64 * 1024

export interface ExchangeParts {
  readonly desk: Desk
  readonly entered: Entered
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly plain: PlainRequest
  /** It waits to be told that its body is wanted. */
  readonly isAsking: boolean
}

export class Exchange implements Underway, Holding {
  private readonly parts: ExchangeParts
  private readonly sinceMs: number
  private sent: ClientRequest | undefined
  private forget: (() => void) | undefined
  private movedMs: number
  private isOver = false
  private told = { up: 0, down: 0 }
  private heldUp = 0
  private heldDown = 0

  constructor(parts: ExchangeParts) {
    this.parts = parts
    this.sinceMs = parts.desk.now()
    this.movedMs = this.sinceMs
  }

  get client(): Client {
    return this.parts.entered.asking.client
  }

  begin(): void {
    const { desk, request, response, plain, isAsking } = this.parts
    this.forget = desk.lookAfter(this)
    const sent = this.write()
    this.sent = sent
    sent.on('response', (answer) => this.answered(answer))
    sent.on('upgrade', () => this.fail())
    sent.on('error', () => this.fail())
    response.on('close', () => this.end())
    if (isAsking) response.writeContinue()
    if (plain.framing === 'none') sent.end()
    else this.pass(request, sent, (bytes) => (this.heldUp = bytes))
  }

  sweep(nowMs: number): void {
    const { limits } = this.parts.desk
    if (nowMs - this.movedMs >= limits.idleMs) this.end('idle')
    else if (nowMs - this.sinceMs >= limits.totalMs) this.end('total')
  }

  endForMemory(): void {
    this.end('memory')
  }

  end(cut?: Cut): void {
    if (this.isOver) return
    this.count()
    this.isOver = true
    const { entered, desk, request, response } = this.parts
    desk.held.set(this, 0)
    this.sent?.destroy()
    entered.way.socket.destroy()
    if (!response.writableFinished) response.destroy()
    // What is left of its body would be taken for the next request's head, or waited for.
    else if (!request.complete) request.socket.destroySoon()
    entered.attempt.ended(cut)
    this.forget?.()
  }

  private write(): ClientRequest {
    const { entered, request, plain } = this.parts
    const { way } = entered
    const { method = 'GET', rawHeaders } = request
    const fields = forwardedHeaders(rawHeaders, plain, method)
    const authorization = way.parent?.authorization
    if (authorization !== undefined) fields.push('Proxy-Authorization', authorization)
    return send({
      createConnection: () => way.socket,
      method,
      path: way.parent ? `http://${plain.authority}${plain.path}` : plain.path,
      headers: fields,
      maxHeaderSize: MAX_ANSWER_HEAD,
    })
  }

  private pass(
    from: IncomingMessage,
    to: ClientRequest | ServerResponse,
    hold: (bytes: number) => void,
  ): void {
    pump(from, to, {
      piece: (piece) => (this.count() ? piece : undefined),
      held: (bytes) => {
        hold(bytes)
        if (!this.isOver) this.parts.desk.held.set(this, this.heldUp + this.heldDown)
      },
    })
    from.on('error', () => this.end())
    from.on('close', () => {
      if (!from.complete) this.end()
    })
  }

  private answered(answer: IncomingMessage): void {
    const { response } = this.parts
    const { statusCode = 502, statusMessage = '', rawHeaders } = answer
    const [encoding, ...more] = valuesOf(rawHeaders, 'transfer-encoding')
    const isPlain = encoding === undefined || encoding.toLowerCase() === 'chunked'
    if (this.isOver || !isPlain || more.length > 0) {
      this.fail()
      return
    }
    try {
      // The origin's own date, or none.
      response.sendDate = false
      response.writeHead(statusCode, statusMessage, passedHeaders(rawHeaders))
    } catch {
      this.fail()
      return
    }
    this.pass(answer, response, (bytes) => (this.heldDown = bytes))
  }

  /** What it answers is none, or it is gone. */
  private fail(): void {
    if (this.isOver) return
    const { entered, response } = this.parts
    const words = `${targetText(entered.asking.target)}: what it answers is no HTTP, or it has closed the connection`
    if (!response.headersSent) respond(response, refusalAnswer({ why: 'answer', words }), true)
    this.end('answer')
  }

  /** Tells what has passed since; false where that was too much. */
  private count(): boolean {
    if (this.isOver) return false
    const { entered, desk } = this.parts
    const { attempt, way } = entered
    this.movedMs = desk.now()
    const { bytesWritten, bytesRead } = way.socket
    const [up, down] = [bytesWritten - this.told.up, bytesRead - this.told.down]
    this.told = { up: bytesWritten, down: bytesRead }
    if (up > 0 || down > 0) attempt.bytes(up, down)
    if (!this.client.overBudget()) return true
    this.end('bytes')
    return false
  }
}
