// How a server of this pod is reached over HTTP, with TLS or without: at either loopback address, over kept-alive
// connections. What is asked, and what becomes of the answer, is its users' business.

import { Agent, request, type ClientRequest, type RequestOptions } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import type { LookupFunction } from 'node:net'
import { connectionWords } from '../../shared/connection-words.ts'
import { codeOf } from '../../shared/error-code.ts'
import { Trust } from './trust.ts'

/** Requests on the wire at once; more wait their turn. */
const MAX_SOCKETS = 1024

/**
 * For each address: loopback says at once that nobody listens there, and a process that a CPU limit holds up for longer
 * than Node's own quarter of a second would take a connection that stands for one that does not.
 */
export const ADDRESS_MS = 10_000

/** Both loopback addresses, whatever the container's files say: servers listen on the one or the other. */
export const lookup: LookupFunction = (_name, _options, callback) =>
  callback(null, [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ])

export interface LoopbackRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** It stays open for as long as a session: among the others it would starve them. */
  readonly isLasting?: boolean
  readonly signal?: AbortSignal
  /** Silence on the wire that makes it a `timeout` event. */
  readonly timeout?: number
}

export interface LoopbackOptions {
  readonly port: number
  /** The server speaks TLS there. */
  readonly isTls?: boolean
  /** By what its certificate is verified; undefined: it is taken as it is. */
  readonly caFile?: string | undefined
  readonly maxSockets?: number
}

/** Codes of a certificate that is not what the file says. */
const UNVERIFIED = /^(?:DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|CERT_|INVALID_CA)/
const CA_ADVICE =
  "; the file of outrigger.dev/ca-file must hold its certificate, or its authority's"

export class Loopback {
  readonly port: number
  private readonly trust: Trust | undefined
  private readonly agent: Agent
  private readonly lastingAgent: Agent
  /** It has understood us once: what breaks later has other reasons. */
  private hasAnswered = false

  constructor({ port, isTls = false, caFile, maxSockets = MAX_SOCKETS }: LoopbackOptions) {
    this.port = port
    this.trust = isTls ? new Trust(caFile) : undefined
    const Kind = isTls ? TlsAgent : Agent
    const autoSelectFamilyAttemptTimeout = ADDRESS_MS
    this.agent = new Kind({ keepAlive: true, maxSockets, autoSelectFamilyAttemptTimeout })
    this.lastingAgent = new Kind({ autoSelectFamilyAttemptTimeout })
  }

  request({ isLasting = false, ...asked }: LoopbackRequest): ClientRequest {
    const agent = isLasting ? this.lastingAgent : this.agent
    const options = { ...asked, host: 'localhost', lookup, port: this.port, agent }
    const sent = this.trust ? this.overTls(options, this.trust) : request(options)
    // Without a listener Node closes the request with no word.
    sent.on('upgrade', ({ statusCode }, socket) => {
      socket.destroy()
      sent.emit('error', new Error(`it answered HTTP ${statusCode}, which nobody had asked for`))
    })
    if (!this.hasAnswered) sent.once('response', () => (this.hasAnswered = true))
    return sent
  }

  /** What went wrong on the wire, as a sentence that names the port. */
  sentence(error: Error): string {
    const code = codeOf(error)
    return `the server on port ${this.port}: ${connectionWords(error)}${this.advice(code, error.message)}`
  }

  close(): void {
    this.agent.destroy()
    this.lastingAgent.destroy()
  }

  private overTls(options: RequestOptions, trust: Trust): ClientRequest {
    const { value, error } = trust.options()
    const sent = tlsRequest({ ...options, ...value })
    // Perhaps the file has changed since: the next request reads it again.
    sent.on('error', () => trust.forget())
    if (error) sent.destroy(error)
    return sent
  }

  private advice(code: string, message: string): string {
    if (this.trust && UNVERIFIED.test(code)) return CA_ADVICE
    if (this.hasAnswered) return ''
    if (this.trust && message.includes('wrong version number')) {
      return '; if it does not speak TLS, set outrigger.dev/scheme: http'
    }
    return !this.trust && (code === 'ECONNRESET' || code.startsWith('HPE_'))
      ? '; if it speaks TLS, set outrigger.dev/scheme: https'
      : ''
  }
}

/** Nobody listens there: the server is gone, and with it whatever it knew. */
export const isNobody = (error: Error): boolean => codeOf(error) === 'ECONNREFUSED'
