// The spans of messages from beginning to end. A SERVER span ends when its answer has left us and nothing of it
// is with the server any more; every CLIENT span ends with its call. What is left at our own end is ended then.

import { header, type Exchange } from '../http/exchange.ts'
import type { ReplyWatcher } from '../http/reply.ts'
import type { Fault } from '../mcp/faults.ts'
import { slice, type Message } from '../mcp/message.ts'
import type { Era } from '../mcp/revision.ts'
import { SharedAttributes } from './shared-attributes.ts'
import {
  outcomeOfFault,
  outcomeOfHop,
  ownAttributes,
  passedClientAttributes,
  passedServerAttributes,
  spanEnd,
  spanName,
  withEarlierNames,
  type Outcome,
} from './span-attributes.ts'
import { contextIn, readContext } from './trace-context.ts'
import type {
  Attributes,
  Bearer,
  Hop,
  PassedFrom,
  RequestTrace,
  Span,
  Spans,
  TraceContext,
} from './trace.ts'

export class Tracing {
  private readonly spans: Spans
  private readonly now: () => number
  private readonly open = new Set<Open>()
  private readonly naming: (attributes: Attributes) => Attributes
  private readonly shared: SharedAttributes

  /** `server`: its name, where attributes are wanted under earlier names too. */
  constructor(spans: Spans, now: () => number, server?: string) {
    this.spans = spans
    this.now = now
    this.naming = (attributes) =>
      server === undefined ? attributes : withEarlierNames(attributes, server)
    this.shared = new SharedAttributes(this.naming)
  }

  /** Begins the span of a message of a client's that has just been read; answers belong to what was asked. */
  begin(exchange: Exchange, message: Message, era: Era | undefined): RequestTrace | undefined {
    if (message.kind === 'response') return undefined
    const { spans, now, open } = this
    const http = exchange.request
    const ambient = readContext(header(http, 'traceparent'), header(http, 'tracestate'))
    const own = contextIn(message)
    const parent = own ?? ambient
    const leftOut = spans.leftOut(parent)
    if (leftOut) return new Unrecorded(leftOut)
    const offset = spans.wallNow() - now()
    const shared = this.shared.received(exchange, message, era)
    const span = spans.start({
      kind: 'server',
      startMs: offset + exchange.arrivedMs,
      parent,
      link: own && ambient,
      name: shared.name,
      shared,
      attributes: ownAttributes(exchange, message),
    })
    // One clock for all spans of a request, so that a child lies within its parent.
    const wallNow = (): number => offset + now()
    const traced = new Recorded(span, { spans, open, wallNow, message, shared: this.shared })
    exchange.reply.watch(traced)
    return traced
  }

  /** A message of the server's own goes to a client: both of its spans. */
  pass(message: Bearer, from: PassedFrom): Hop {
    const { spans, now, open, naming } = this
    const parent = contextIn(message) ?? from.parent
    const leftOut = spans.leftOut(parent)
    if (leftOut) return new Unrecorded(leftOut)
    const offset = spans.wallNow() - now()
    const wallNow = (): number => offset + now()
    const name = spanName(message)
    const server = spans.start({
      kind: 'server',
      startMs: wallNow(),
      parent,
      link: undefined,
      name,
      attributes: naming(passedServerAttributes(message, from)),
    })
    const client = spans.start({
      kind: 'client',
      startMs: wallNow(),
      parent: server.context,
      link: undefined,
      name,
      attributes: naming(passedClientAttributes(message, from)),
    })
    const passed = new RecordedHop(client.context, (outcome) => {
      open.delete(passed)
      client.end(spanEnd('client', outcome), wallNow())
      server.end(spanEnd('server', outcome), wallNow())
    })
    open.add(passed)
    return passed
  }

  /** An exchange of a session that another replica holds goes there, at an address: its CLIENT span. */
  toReplica({ request }: Exchange, address: string): Hop {
    const { spans, now, open, naming } = this
    const parent = readContext(header(request, 'traceparent'), header(request, 'tracestate'))
    const leftOut = spans.leftOut(parent)
    if (leftOut) return new Unrecorded(leftOut)
    const offset = spans.wallNow() - now()
    const span = spans.start({
      kind: 'client',
      startMs: offset + now(),
      parent,
      link: undefined,
      name: 'outrigger.replica',
      attributes: naming({
        'http.request.method': request.method ?? '',
        'server.address': address,
      }),
    })
    const hop = new RecordedHop(span.context, (outcome) => {
      open.delete(hop)
      span.end(spanEnd('client', outcome), offset + now())
    })
    open.add(hop)
    return hop
  }

  /** Ends what is open and sends what has ended, for at most so long. */
  async close(patienceMs: number): Promise<void> {
    for (const traced of this.open) traced.abandon()
    await this.spans.shutdown(patienceMs)
  }
}

/** What has not ended. */
interface Open {
  abandon(): void
}

/** A message whose trace is not recorded: it has a context to hand on, which is its hop's too, and that is all. */
class Unrecorded implements RequestTrace, Hop {
  readonly context: TraceContext

  constructor(context: TraceContext) {
    this.context = context
  }

  send(): Hop {
    return this
  }

  end(): void {
    // Nobody hears of it.
  }
}

interface RecordedOptions {
  readonly spans: Spans
  /** What has not ended. */
  readonly open: Set<Open>
  readonly wallNow: () => number
  readonly message: Bearer
  readonly shared: SharedAttributes
}

class Recorded implements RequestTrace, ReplyWatcher {
  readonly context: TraceContext
  private readonly span: Span
  private readonly options: RecordedOptions
  private readonly hops = new Set<RecordedHop>()
  private outcome: Outcome | undefined
  private isAnswered = false
  private isEnded = false

  constructor(span: Span, options: RecordedOptions) {
    this.span = span
    this.context = span.context
    this.options = options
    options.open.add(this)
  }

  send(id: number | undefined, port: number | undefined): Hop {
    const { spans, open, wallNow, message } = this.options
    const shared = this.options.shared.sent(message, port)
    const span = spans.start({
      kind: 'client',
      startMs: wallNow(),
      parent: this.span.context,
      link: undefined,
      name: shared.name,
      shared,
      attributes: id === undefined ? {} : { 'jsonrpc.request.id': `${id}` },
    })
    const hop = new RecordedHop(span.context, (outcome) => {
      this.hops.delete(hop)
      span.end(spanEnd('client', outcome), wallNow())
      this.outcome ??= outcome
      this.settle()
    })
    this.hops.add(hop)
    open.add(this)
    return hop
  }

  /** A fault is told to the client. What the server had to do with it is known already, in the words of the metrics. */
  faulted(fault: Fault, idText: string | undefined): void {
    const { message } = this.options
    const isOther = message.kind === 'request' && idText !== slice(message.text, message.id)
    if (idText !== undefined && isOther) return
    const told = outcomeOfFault(fault)
    this.outcome = {
      errorType: this.outcome?.errorType ?? told.errorType,
      code: this.outcome?.code ?? told.code,
      message: this.outcome?.message ?? told.message,
    }
  }

  /** The answer has left us, or its client has. */
  closed(): void {
    this.isAnswered = true
    this.settle()
  }

  abandon(): void {
    for (const hop of this.hops) hop.end('draining')
    this.closed()
  }

  private settle(): void {
    const { open, wallNow } = this.options
    if (!this.isAnswered || this.hops.size > 0) return
    open.delete(this)
    if (this.isEnded) return
    this.isEnded = true
    this.span.end(spanEnd('server', this.outcome), wallNow())
  }
}

class RecordedHop implements Hop, Open {
  readonly context: TraceContext
  private readonly onEnd: (outcome: Outcome | undefined) => void
  private isEnded = false

  constructor(context: TraceContext, onEnd: (outcome: Outcome | undefined) => void) {
    this.context = context
    this.onEnd = onEnd
  }

  end(errorType: string | undefined, message?: string): void {
    if (this.isEnded) return
    this.isEnded = true
    this.onEnd(errorType === undefined ? undefined : outcomeOfHop(errorType, message))
  }

  abandon(): void {
    this.end('draining')
  }
}
