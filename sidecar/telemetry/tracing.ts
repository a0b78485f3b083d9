// The spans of requests from beginning to end. A SERVER span ends when its answer has left us and nothing of it
// is with the server any more; every CLIENT span ends with its call. What is left at our own end is ended then.

import { header, type Exchange } from '../http/exchange.ts'
import type { ReplyWatcher } from '../http/reply.ts'
import type { Fault } from '../mcp/faults.ts'
import { slice, type Message, type Request } from '../mcp/message.ts'
import type { Era } from '../mcp/revision.ts'
import {
  clientAttributes,
  outcomeOfFault,
  outcomeOfHop,
  serverAttributes,
  spanEnd,
  spanName,
  type Outcome,
} from './span-attributes.ts'
import { contextIn, readContext } from './trace-context.ts'
import type {
  Hop,
  RequestTrace,
  Span,
  SpanDescription,
  Spans,
  SpanStart,
  TraceContext,
} from './trace.ts'

export class Tracing {
  private readonly spans: Spans
  private readonly now: () => number
  private readonly open = new Set<Recorded>()

  constructor(spans: Spans, now: () => number) {
    this.spans = spans
    this.now = now
  }

  /** Begins the span of a message that has just been read, where it is a request. */
  begin(exchange: Exchange, message: Message, era: Era | undefined): RequestTrace | undefined {
    if (message.kind !== 'request') return undefined
    const { spans, now, open } = this
    const http = exchange.request
    const ambient = readContext(header(http, 'traceparent'), header(http, 'tracestate'))
    const own = contextIn(message)
    const offset = spans.wallNow() - now()
    const span = spans.start({
      kind: 'server',
      startMs: offset + exchange.arrivedMs,
      parent: own ?? ambient,
      link: own && ambient,
      describe: () => ({
        name: spanName(message),
        attributes: serverAttributes(exchange, message, era),
      }),
    })
    if (!span.isRecording) return new Unrecorded(spans, span.context)
    // One clock for all spans of a request, so that a child lies within its parent.
    const wallNow = (): number => offset + now()
    const traced = new Recorded(span, { spans, open, wallNow, request: message })
    exchange.reply.watch(traced)
    return traced
  }

  /** Ends what is open and sends what has ended, for at most so long. */
  async close(patienceMs: number): Promise<void> {
    for (const traced of this.open) traced.abandon()
    await this.spans.shutdown(patienceMs)
  }
}

const hopStart = (
  parent: TraceContext,
  startMs: number,
  describe: SpanStart['describe'],
): SpanStart => ({ kind: 'client', startMs, parent, link: undefined, describe })

const nothing = (): SpanDescription => ({ name: '', attributes: {} })

/** A request that the sampler has left out: it has a context to hand on, and that is all. */
class Unrecorded implements RequestTrace {
  readonly context: TraceContext
  private readonly spans: Spans

  constructor(spans: Spans, context: TraceContext) {
    this.spans = spans
    this.context = context
  }

  send(): Hop {
    const { context } = this.spans.start(hopStart(this.context, 0, nothing))
    return { context, end: () => undefined }
  }
}

interface RecordedOptions {
  readonly spans: Spans
  /** The requests whose spans have not ended. */
  readonly open: Set<Recorded>
  readonly wallNow: () => number
  readonly request: Request
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

  send(id: number, port: number | undefined): Hop {
    const { spans, open, wallNow, request } = this.options
    const span = spans.start(
      hopStart(this.span.context, wallNow(), () => ({
        name: spanName(request),
        attributes: clientAttributes(request, id, port),
      })),
    )
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
    const { text, id } = this.options.request
    if (idText !== undefined && idText !== slice(text, id)) return
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

class RecordedHop implements Hop {
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
}
