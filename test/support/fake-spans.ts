// Spans in memory: numbered, with what was said of them, and whether they have ended.

import { flagsOf } from '../../sidecar/telemetry/trace-context.ts'
import type { SpanEnd, Spans, SpanStart, TraceContext } from '../../sidecar/telemetry/trace.ts'

export type FakeSpan = Pick<SpanStart, 'name' | 'attributes'> & {
  readonly number: number
  readonly start: SpanStart
  readonly ends: (SpanEnd & { readonly endMs: number })[]
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
    const attributes = { ...start.shared?.attributes, ...start.attributes }
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
