// Links to a loopback HTTP server: one for every session or principal. Before the first one the server is asked where
// its endpoint is, and by which transport it speaks there.

import type { Budget } from '../bytes/budget.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import { BOTH_TYPES, HttpLink } from './http-link.ts'
import {
  findEndpoint,
  QUESTION,
  USUAL_PATHS,
  type Endpoint,
  type HttpAnswer,
  type HttpTransport,
} from './http-path.ts'
import type { Link } from './link.ts'
import { isNobody, type Loopback } from './loopback.ts'
import type { LinkSource } from './source.ts'
import { SseLink } from './sse-link.ts'
import type { Underway } from './underway.ts'

/** A server that hangs would keep its DELETEs, and one socket each, for ever. */
const END_TIMEOUT_MS = 5000
/** Longest wait for the head of an answer when the endpoint is looked for. */
const ASK_TIMEOUT_MS = 5000
/** Longest wait for the endpoint that an event stream begins with. */
const OPEN_TIMEOUT_MS = 10_000
/** Longest wait for a notification to be accepted: over HTTP+SSE the rest waits for that, else nobody does. */
const ACCEPT_TIMEOUT_MS = { http: 30_000, sse: 5000 } as const

const ASKED = {
  http: {
    method: 'POST',
    body: QUESTION,
    headers: {
      'content-type': 'application/json',
      'content-length': `${QUESTION.length}`,
      accept: BOTH_TYPES,
    },
  },
  sse: { method: 'GET', body: undefined, headers: { accept: 'text/event-stream' } },
} as const

const NAMES = { http: 'Streamable HTTP', sse: 'HTTP+SSE' } as const

export interface HttpSourceOptions {
  readonly loopback: Loopback
  /** Undefined: it is found by asking. */
  readonly path: string | undefined
  /** What it may speak, the better first. */
  readonly transports: readonly HttpTransport[]
  /** Headers of callers' own go on. */
  readonly forwards: boolean
  readonly budget: Budget
  readonly onEndpoint: (endpoint: Endpoint) => void
  /** Where nobody listens on the port: what to do, by what else is seen of the server. */
  readonly advice: () => string
}

export class HttpSource implements LinkSource {
  private readonly loopback: Loopback
  /** Where the server speaks MCP, once that has been found. */
  endpoint: Endpoint | undefined
  private readonly options: HttpSourceOptions
  private looking: Promise<Result<Endpoint, Fault>> | undefined
  private readonly links = new Set<Link>()

  constructor(options: HttpSourceOptions) {
    this.options = options
    this.loopback = options.loopback
  }

  get count(): number {
    return this.links.size
  }

  /** What is in flight on all links. */
  get underway(): Iterable<Underway> {
    return [...this.links].flatMap(({ owner }) => Array.from(owner?.underway ?? []))
  }

  /** HTTP+SSE is older than the other era. */
  get isLegacyOnly(): boolean {
    return this.endpoint?.transport === 'sse'
  }

  async open(): Promise<Result<Link, Fault>> {
    const endpoint = this.endpoint ? ok(this.endpoint) : await this.look()
    if (!endpoint.ok) return endpoint
    const onClose = (): void => void this.links.delete(link)
    const { transport, path } = endpoint.value
    const { forwards, budget } = this.options
    const acceptTimeoutMs = ACCEPT_TIMEOUT_MS[transport]
    const target = { loopback: this.loopback, path, forwards, budget, acceptTimeoutMs, onClose }
    const link: Link =
      transport === 'http'
        ? new HttpLink({ ...target, endTimeoutMs: END_TIMEOUT_MS })
        : new SseLink({ ...target, openTimeoutMs: OPEN_TIMEOUT_MS })
    this.links.add(link)
    return ok(link)
  }

  /** Whoever comes meanwhile waits for the same search; one that has failed is begun again by the next. */
  private look(): Promise<Result<Endpoint, Fault>> {
    this.looking ??= this.search().finally(() => {
      this.looking = undefined
    })
    return this.looking
  }

  private async search(): Promise<Result<Endpoint, Fault>> {
    const { path, transports, onEndpoint } = this.options
    const { port } = this.loopback
    try {
      const ask = (candidate: string, transport: HttpTransport) => this.ask(candidate, transport)
      const endpoint = await findEndpoint({ port, path, transports, ask })
      if (endpoint && !endpoint.isGuess) {
        this.endpoint = endpoint
        onEndpoint(endpoint)
      }
      if (endpoint) return ok(endpoint)
    } catch (error) {
      return fail(fault('server-failed', this.whyNot(error)))
    }
    const tried = transports.map(
      (one) => `not over ${NAMES[one]} at ${USUAL_PATHS[one].join(', ')}`,
    )
    const why = `the server on port ${port} does not speak MCP: ${tried.join(', ')}`
    return fail(fault('server-failed', `${why}; name its path with outrigger.dev/path`))
  }

  private whyNot(error: unknown): string {
    if (!(error instanceof Error)) return String(error)
    return isNobody(error)
      ? `nothing listens on port ${this.loopback.port} (ECONNREFUSED); ${this.options.advice()}`
      : this.loopback.sentence(error)
  }

  private ask(path: string, transport: HttpTransport): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const { body, ...asked } = ASKED[transport]
      const sent = this.loopback.request({ ...asked, path })
      const late = setTimeout(
        () => sent.destroy(new Error(`no answer at ${path} for ${ASK_TIMEOUT_MS} ms`)),
        ASK_TIMEOUT_MS,
      )
      sent.on('error', reject)
      sent.on('close', () => clearTimeout(late))
      sent.on('response', (response) => {
        const { statusCode: status = 0, headers } = response
        resolve({ status, location: headers.location, contentType: headers['content-type'] ?? '' })
        response.on('error', () => undefined)
        response.destroy()
      })
      sent.end(body)
    })
  }
}
