// How long requests take, by method, tool and outcome (OpenTelemetry's MCP conventions): since they came, and since they
// went to the server. The labels of each kind of request are worked out once. Each is of a known set: tools are those that
// the server has listed.

import type { Metric } from 'prom-client'
import type { Request, Response } from '../mcp/message.ts'
import { Buckets } from './buckets.ts'
import { ReadHistogram, type Series } from './histogram.ts'
import { ERROR_TYPES, METHODS, OTHER } from './known-words.ts'
import { toolNames } from './tool-names.ts'

/** OpenTelemetry's MCP conventions: bucket bounds in seconds. */
const SECONDS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300]

const CALL = 'tools/call'
const LIST = 'tools/list'

/** Tools that have a label of their own; a server may list as many as it likes. */
const MAX_TOOLS = 100
/** Outcomes beside success that have buckets of their own, of all kinds together. */
const MAX_FAILURES = 256
/** A list as long as the last is not read again before that. */
const LEARN_MS = 10_000

type Side = 'server' | 'client'

/** How long the requests of one kind took, by how they ended. */
class Outcomes {
  readonly byError = new Map<string | undefined, Buckets>()
  private readonly failures: { count: number }

  constructor(failures: { count: number }) {
    this.failures = failures
  }

  add(durationMs: number, errorType: string | undefined): void {
    const buckets = this.byError.get(errorType) ?? this.first(errorType)
    buckets.add(durationMs / 1000)
  }

  private first(errorType: string | undefined): Buckets {
    const { byError, failures } = this
    const isOwn =
      errorType === undefined || (ERROR_TYPES.has(errorType) && failures.count < MAX_FAILURES)
    const named = isOwn ? errorType : OTHER
    const known = byError.get(named)
    if (known) return known
    if (named !== undefined && named !== OTHER) failures.count++
    const buckets = new Buckets(SECONDS)
    byError.set(named, buckets)
    return buckets
  }
}

/** Requests of one method and tool. */
interface Kind extends Readonly<Record<Side, Outcomes>> {
  readonly method: string
  /** Empty where no tool is called. */
  readonly tool: string
}

/** A client's request, from the moment it came. Only its first end counts. */
export class Operation {
  readonly kind: Kind
  private readonly arrivedMs: number
  private readonly now: () => number
  private isOver = false

  constructor(kind: Kind, arrivedMs: number, now: () => number) {
    this.kind = kind
    this.arrivedMs = arrivedMs
    this.now = now
  }

  /** It has been answered; `errorType` says how it failed, absent on success. */
  end(errorType: string | undefined, nowMs = this.now()): void {
    if (this.isOver) return
    this.isOver = true
    this.kind.server.add(nowMs - this.arrivedMs, errorType)
  }
}

/** A request that went to the server; one of our own is no operation of a client's. */
export interface Sent {
  readonly method: string
  readonly operation?: Operation | undefined
  readonly sentMs: number
}

export class Operations {
  private readonly now: () => number
  private readonly failures = { server: { count: 0 }, client: { count: 0 } }
  private readonly methods: ReadonlyMap<string, Kind>
  private readonly other = this.newKind(OTHER)
  private readonly otherTool = this.newKind(CALL, OTHER)
  private readonly tools = new Map<string, Kind>()
  private learned = { length: -1, atMs: -Infinity }

  constructor(now: () => number) {
    this.now = now
    this.methods = new Map([...METHODS].map((method) => [method, this.newKind(method)]))
  }

  /** A client's request that has just been read. */
  begin(request: Request, arrivedMs: number): Operation {
    return new Operation(this.kindOf(request), arrivedMs, this.now)
  }

  /** The server has answered now, or will not. */
  ended(sent: Sent, nowMs: number, errorType?: string, response?: Response): void {
    const { method, operation, sentMs } = sent
    operation?.end(errorType, nowMs)
    const kind = operation?.kind ?? this.methods.get(method) ?? this.other
    kind.client.add(nowMs - sentMs, errorType)
    if (method === LIST && response && errorType === undefined) this.learn(response, nowMs)
  }

  metrics(): readonly Metric[] {
    return [
      this.histogram('server', 'Duration of MCP requests, from their arrival to the answer.'),
      this.histogram('client', 'Duration of MCP requests with the server.'),
    ]
  }

  private kindOf({ method, shortName = '' }: Request): Kind {
    if (method !== CALL) return this.methods.get(method) ?? this.other
    return this.tools.get(shortName) ?? this.otherTool
  }

  private newKind(method: string, tool = ''): Kind {
    const { server, client } = this.failures
    return { method, tool, server: new Outcomes(server), client: new Outcomes(client) }
  }

  private learn(response: Response, nowMs: number): void {
    const { length, atMs } = this.learned
    const isSeen = response.text.length === length && nowMs - atMs < LEARN_MS
    if (isSeen || this.tools.size >= MAX_TOOLS) return
    this.learned = { length: response.text.length, atMs: nowMs }
    for (const name of toolNames(response)) {
      if (this.tools.size >= MAX_TOOLS) return
      if (!this.tools.has(name)) this.tools.set(name, this.newKind(CALL, name))
    }
  }

  private histogram(side: Side, help: string): Metric {
    return new ReadHistogram({
      name: `mcp_${side}_operation_duration_seconds`,
      help,
      bounds: SECONDS,
      series: () => this.series(side),
    })
  }

  private *series(side: Side): Iterable<Series> {
    const kinds = [...this.methods.values(), this.other, this.otherTool, ...this.tools.values()]
    for (const { method, tool, [side]: outcomes } of kinds) {
      for (const [errorType = '', buckets] of outcomes.byError) {
        const labels = { mcp_method_name: method, gen_ai_tool_name: tool, error_type: errorType }
        yield { labels, buckets }
      }
    }
  }
}
