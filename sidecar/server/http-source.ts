// Links to a loopback HTTP server: one for every session or principal, over kept-alive connections. Where
// nobody has said at which path its endpoint is, the server is asked before the first link.

import { Agent, request } from 'node:http'
import type { Budget } from '../bytes/budget.ts'
import { messageOf } from '../../shared/message.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import { BOTH_TYPES, HttpLink, LOOPBACK } from './http-link.ts'
import { findPath, QUESTION, USUAL_PATHS, type HttpAnswer } from './http-path.ts'
import type { Link } from './link.ts'
import type { LinkSource } from './source.ts'

/** Requests on the wire at once; more wait their turn. */
const MAX_SOCKETS = 1024
/** A server that hangs would keep its DELETEs, and one socket each, for ever. */
const END_TIMEOUT_MS = 5000
/** Longest wait for the head of an answer when the path is looked for. */
const ASK_TIMEOUT_MS = 5000

export interface HttpSourceOptions {
  readonly port: number
  /** Undefined: it is found by asking. */
  readonly path: string | undefined
  readonly budget: Budget
  readonly onPath: (path: string) => void
}

export class HttpSource implements LinkSource {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS })
  /** A listening stream lasts as long as its session: among the requests it would starve them. */
  private readonly listeningAgent = new Agent()
  private readonly options: HttpSourceOptions
  private path: string | undefined
  private looking: Promise<Result<string, Fault>> | undefined
  private links = 0

  constructor(options: HttpSourceOptions) {
    this.options = options
    this.path = options.path
  }

  get count(): number {
    return this.links
  }

  async open(): Promise<Result<Link, Fault>> {
    const path = this.path === undefined ? await this.look() : ok(this.path)
    if (!path.ok) return path
    this.links++
    const onClose = (): void => {
      this.links--
    }
    const { agent, listeningAgent } = this
    const { port, budget } = this.options
    const target = { port, path: path.value, agent, listeningAgent, budget }
    return ok(new HttpLink({ ...target, endTimeoutMs: END_TIMEOUT_MS, onClose }))
  }

  close(): void {
    this.agent.destroy()
    this.listeningAgent.destroy()
  }

  /** Whoever comes meanwhile waits for the same search; one that has failed is begun again by the next. */
  private look(): Promise<Result<string, Fault>> {
    this.looking ??= this.search().finally(() => {
      this.looking = undefined
    })
    return this.looking
  }

  private async search(): Promise<Result<string, Fault>> {
    const { port, onPath } = this.options
    try {
      const path = await findPath({ port, ask: (candidate) => this.ask(candidate) })
      if (path !== undefined) {
        this.path = path
        onPath(path)
        return ok(path)
      }
    } catch (error) {
      const isNobody = error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED'
      const why = isNobody
        ? `nothing listens on port ${port} (ECONNREFUSED); if the server speaks stdio, set outrigger.dev/transport: stdio`
        : `the server on port ${port}: ${messageOf(error)}`
      return fail(fault('server-failed', why))
    }
    const paths = USUAL_PATHS.join(', ')
    return fail(
      fault(
        'server-failed',
        `the server on port ${port} speaks MCP over Streamable HTTP at none of ${paths}; name its path with outrigger.dev/path`,
      ),
    )
  }

  private ask(path: string): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const sent = request({
        ...LOOPBACK,
        port: this.options.port,
        path,
        method: 'POST',
        agent: this.agent,
        timeout: ASK_TIMEOUT_MS,
        headers: {
          'content-type': 'application/json',
          'content-length': `${QUESTION.length}`,
          accept: BOTH_TYPES,
        },
      })
      sent.on('timeout', () =>
        sent.destroy(new Error(`no answer at ${path} for ${ASK_TIMEOUT_MS} ms`)),
      )
      sent.on('error', reject)
      sent.on('response', (response) => {
        const { statusCode: status = 0, headers } = response
        resolve({ status, location: headers.location, contentType: headers['content-type'] ?? '' })
        response.on('error', () => undefined)
        response.destroy()
      })
      sent.end(QUESTION)
    })
  }
}
