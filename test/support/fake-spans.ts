// Spans in memory: numbered, with what was said of them, and whether they have ended.

import { flagsOf } from '../../sidecar/telemetry/trace-context.ts'
import type { Attributes, SpanEnd, Spans, SpanStart } from '../../sidecar/telemetry/trace.ts'

export type FakeSpan = {
  readonly number: number
  readonly start: SpanStart
  readonly name: string
  readonly attributes: Attributes
  readonly ends: (SpanEnd & { readonly endMs: number })[]
}

export class FakeSpans implements Spans {
  readonly started: FakeSpan[] = []
  readonly wallNow = (): number => 1_000_000
  isRecording = true
  shutdowns: number[] = []

  start(start: SpanStart): ReturnType<Spans['start']> {
    const { isRecording } = this
    const number = this.started.length + 1
    const described = isRecording ? start.describe() : { name: '', attributes: {} }
    const span: FakeSpan = { number, start, ...described, ends: [] }
    this.started.push(span)
    return {
      context: {
        traceId: start.parent?.traceId ?? 'f'.repeat(32),
        spanId: number.toString().padStart(16, '0'),
        flags: flagsOf(isRecording, start.parent),
        state: start.parent?.state,
      },
      isRecording,
      end: (end, endMs) => void span.ends.push({ ...end, endMs }),
    }
  }

  shutdown(patienceMs: number): Promise<void> {
    this.shutdowns.push(patienceMs)
    return Promise.resolve()
  }

  /** The only one of a kind. */
  of(kind: 'server' | 'client'): FakeSpan {
    const [one, another] = this.started.filter(({ start }) => start.kind === kind)
    if (!one || another) throw new Error(`one ${kind} span was expected`)
    return one
  }
}
