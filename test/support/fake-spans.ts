// Spans in memory: numbered, with what was said of them, and whether they have ended.

import { Protobuf } from '../../sidecar/telemetry/protobuf.ts'
import { requestsOf, writeSpan } from '../../sidecar/telemetry/span-bytes.ts'
import { flagsOf } from '../../sidecar/telemetry/trace-context.ts'
import type {
  Attributes,
  SpanEnd,
  Spans,
  SpanStart,
  TraceContext,
} from '../../sidecar/telemetry/trace.ts'
import { spansIn } from './collector.ts'

export type FakeSpan = Pick<SpanStart, 'name' | 'attributes'> & {
  readonly number: number
  readonly start: SpanStart
  readonly ends: (SpanEnd & { readonly endMs: number })[]
}

const requestOf = requestsOf({}, 'fake')

const ANY = {
  kind: 'client',
  startMs: 0,
  parent: undefined,
  link: undefined,
  name: 'any',
} as const
const END = { attributes: {}, isError: false, message: undefined }

/** The attributes that a span begins with, as a collector has them. */
export const collectedAttributes = (of: Pick<SpanStart, 'shared' | 'attributes'>): Attributes => {
  const bytes = new Protobuf()
  const context = { traceId: 'f'.repeat(32), spanId: 'f'.repeat(16), flags: 1, state: undefined }
  writeSpan(bytes, { context, start: { ...of, ...ANY }, end: END, endMs: 0 })
  const [span] = spansIn(requestOf(bytes.bytes))
  if (!span) throw new Error('no span was written')
  return span.attributes
}

export class FakeSpans implements Spans {
  readonly started: FakeSpan[] = []
  readonly wallNow = (): number => 1_000_000
  isRecording = true
  shutdowns: number[] = []

  leftOut(parent: TraceContext | undefined): TraceContext | undefined {
    return this.isRecording ? undefined : this.context(0, parent)
  }

  start(start: SpanStart): ReturnType<Spans['start']> {
    const number = this.started.length + 1
    const { name } = start
    const attributes = collectedAttributes(start)
    const span: FakeSpan = { number, start, name, attributes, ends: [] }
    this.started.push(span)
    return {
      context: this.context(number, start.parent),
      end: (end, endMs) => void span.ends.push({ ...end, endMs }),
    }
  }

  shutdown(patienceMs: number): Promise<void> {
    this.shutdowns.push(patienceMs)
    return Promise.resolve()
  }

  private context(number: number, parent: TraceContext | undefined): TraceContext {
    return {
      traceId: parent?.traceId ?? 'f'.repeat(32),
      spanId: number.toString().padStart(16, '0'),
      flags: flagsOf(this.isRecording, parent),
      state: parent?.state,
    }
  }

  /** The only one of a kind. */
  of(kind: 'server' | 'client'): FakeSpan {
    const [one, another] = this.started.filter(({ start }) => start.kind === kind)
    if (!one || another) throw new Error(`one ${kind} span was expected`)
    return one
  }
}
