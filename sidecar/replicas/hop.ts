// One exchange that is another replica's: sent there as it came, and its answer passed on as it comes. Who hangs up here hangs
// up there; where nobody of ours can be reached nothing was sent.

import type { ClientRequest, IncomingMessage } from 'node:http'
import { request, type Agent } from 'node:https'
import { connectionWords } from '../../shared/connection-words.ts'
import { codeOf } from '../../shared/error-code.ts'
import { MCP_PATH } from '../../shared/names.ts'
import { SMALL_BYTES } from '../bytes/budget.ts'
import { free } from '../bytes/freed.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import { AWAY, type Away, type Passage } from '../pipeline/stage.ts'
import { answeredHeaders } from './hop-headers.ts'
import type { HopResult } from './figures.ts'
import { VOUCHER_HEADER } from './voucher.ts'

/** Of another pod of the same cluster: its kernel answers, however busy it is. */
const CONNECT_MS = 2000
/** It may be very busy. */
const HANDSHAKE_MS = 10_000
/** A stream says that it is alive every 15 s, and so does an answer that may become one. */
const SILENT_MS = 60_000
/** Whose client takes JSON alone hears nothing before its answer. */
const SILENT_JSON_MS = 3_600_000
/** A node that is lost is found by that. */
const ALIVE_MS = 15_000

export interface HopParts {
  readonly agent: Agent
  readonly to: string
  readonly port: number
  /** With the voucher. */
  readonly headers: Readonly<Record<string, string>>
  readonly onAnswer: () => void
  readonly onEnd: (result: HopResult) => void
}

/** What is in the place of an answer: undefined where nobody is there, and nothing was sent. */
export type Outcome = Fault | Away | undefined

/** The connection was closed before anybody had read what was asked. */
const isStale = (error: Error): boolean => /^(?:ECONNRESET|EPIPE)$/.test(codeOf(error))

/** Calls back where it is so still after a time; what has come while we were busy is heard first. */
const limit = (ms: number, isSo: () => boolean, late: () => unknown): NodeJS.Timeout =>
  setTimeout(() => setImmediate(() => isSo() && late()), ms)

export class Hop {
  private readonly passage: Passage
  private readonly parts: HopParts
  private readonly resolve: (found: Outcome) => void
  private sent: ClientRequest | undefined
  private answer: IncomingMessage | undefined
  private isConnected = false
  private isAgain = false
  private isOver = false

  constructor(passage: Passage, parts: HopParts, resolve: (found: Outcome) => void) {
    this.passage = passage
    this.parts = parts
    this.resolve = resolve
    passage.reply.watch({ faulted: () => undefined, closed: () => void this.sent?.destroy() })
  }

  /** The promise resolves once an answer has begun, or with what is in its place. */
  static send(passage: Passage, parts: HopParts): Promise<Outcome> {
    return new Promise((resolve) => {
      const hop = new Hop(passage, parts, resolve)
      if (passage.reply.state === 'done') hop.left()
      else hop.begin()
    })
  }

  private begin(): void {
    const { agent, to, port, headers } = this.parts
    const { request: asked, body, reply } = this.passage
    const { method = 'GET' } = asked
    const timeout = reply.form === 'json' ? SILENT_JSON_MS : SILENT_MS
    const sent = request({ agent, host: to, port, method, path: MCP_PATH, headers, timeout })
    this.sent = sent
    sent.on('socket', (socket) => {
      // One that is kept has been connected for long.
      if (!socket.connecting) {
        this.isConnected = true
        return
      }
      const giveUp = (): unknown => sent.destroy(new Error('it does not answer'))
      const limits = [
        limit(CONNECT_MS, () => socket.connecting, giveUp),
        limit(HANDSHAKE_MS, () => !this.isConnected, giveUp),
      ]
      const end = (): void => limits.forEach(clearTimeout)
      socket.once('secureConnect', () => {
        this.isConnected = true
        end()
      })
      socket.once('close', end)
    })
    sent.on('response', (answer) => this.pass(answer))
    sent.on('finish', () => this.handedOver())
    sent.on('timeout', () => this.silent(timeout))
    sent.on('error', (error) => this.failed(error))
    sent.on('close', () => this.closed(sent))
    sent.setSocketKeepAlive(true, ALIVE_MS)
    sent.end(body?.bytes)
  }

  /** What is large is not kept for another try: its answer may take an hour, and others want the room. */
  private handedOver(): void {
    const { passage, isConnected } = this
    const { body } = passage
    if (!isConnected || body === undefined || body.bytes.length <= SMALL_BYTES) return
    this.isAgain = true
    passage.body = undefined
    body.lease?.release()
    free(body.bytes)
  }

  private pass(answer: IncomingMessage): void {
    if (answer.headers[VOUCHER_HEADER] !== undefined) {
      // It was read before, on a connection that broke behind it.
      answer.resume()
      this.refuse('broken', brokenFault('the connection to it was dropped'))
      return
    }
    this.answer = answer
    this.parts.onAnswer()
    this.passage.reply.pass(answer, answeredHeaders(answer))
    this.resolve(AWAY)
  }

  private left(): void {
    this.refuse('left', fault('request-cancelled', 'its client has gone before it was answered'))
  }

  private closed(sent: ClientRequest): void {
    if (this.answer) this.end('answered')
    else if (sent === this.sent) this.refuse('broken', brokenFault('it ended without an answer'))
  }

  /** What waits for its client to read is not silent. */
  private silent(ms: number): void {
    if (this.answer?.readableFlowing === false) return
    this.sent?.destroy(new Error(`nothing came for ${ms} ms`))
  }

  private failed(error: Error): void {
    if (this.answer) return
    if (this.passage.reply.state === 'done') this.left()
    else if (this.sent?.reusedSocket === true && !this.isAgain && isStale(error)) {
      // The same voucher, which is good for once: nothing is done twice.
      this.isAgain = true
      this.isConnected = false
      this.begin()
    } else if (this.isConnected) this.refuse('broken', brokenFault(connectionWords(error)))
    else this.refuse('unreachable', undefined)
  }

  private refuse(result: HopResult, why: Fault | undefined): void {
    this.end(result)
    this.resolve(why)
  }

  private end(result: HopResult): void {
    if (this.isOver) return
    this.isOver = true
    this.parts.onEnd(result)
  }
}

const brokenFault = (words: string): Fault =>
  fault('server-failed', `the replica that holds the session broke off: ${words}`)
