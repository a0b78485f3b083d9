// How a server of this pod is reached over HTTP: at either loopback address, over kept-alive connections. What is
// asked, and what becomes of the answer, is its users' business.

import { Agent, request, type ClientRequest } from 'node:http'
import type { LookupFunction } from 'node:net'

/** Requests on the wire at once; more wait their turn. */
const MAX_SOCKETS = 1024

/** Both loopback addresses, whatever the container's files say: servers listen on the one or the other. */
const lookup: LookupFunction = (_name, _options, callback) =>
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

export class Loopback {
  readonly port: number
  private readonly agent: Agent
  private readonly lastingAgent = new Agent()

  constructor(port: number, maxSockets = MAX_SOCKETS) {
    this.port = port
    this.agent = new Agent({ keepAlive: true, maxSockets })
  }

  request({ isLasting = false, ...asked }: LoopbackRequest): ClientRequest {
    const agent = isLasting ? this.lastingAgent : this.agent
    return request({ ...asked, host: 'localhost', lookup, port: this.port, agent })
  }

  /** What went wrong on the wire, as a sentence that names the port. */
  sentence(error: Error): string {
    const code = 'code' in error ? String(error.code) : ''
    return `the server on port ${this.port}: ${error.message === '' ? code : error.message}`
  }

  close(): void {
    this.agent.destroy()
    this.lastingAgent.destroy()
  }
}

/** Nobody listens there: the server is gone, and with it whatever it knew. */
export const isNobody = (error: Error): boolean => 'code' in error && error.code === 'ECONNREFUSED'
