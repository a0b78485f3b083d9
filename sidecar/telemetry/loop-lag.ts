// How late the event loop comes to what is due: what runs at a fixed pace all the same says so, so that nothing wakes a
// process that is idle, as Node's own monitor would a hundred times a second.

import type { Metric } from 'prom-client'
import { Buckets } from './buckets.ts'
import { ReadHistogram } from './histogram.ts'

const SECONDS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]

export class LoopLag {
  readonly metric: Metric
  private readonly everyMs: number
  private readonly buckets = new Buckets(SECONDS)
  private lastMs: number | undefined

  constructor(everyMs: number) {
    this.everyMs = everyMs
    const series = [{ labels: {}, buckets: this.buckets }]
    this.metric = new ReadHistogram({
      name: 'outrigger_event_loop_lag_seconds',
      help: `How late the event loop comes to what is due, looked at every ${everyMs} ms.`,
      bounds: SECONDS,
      series: () => series,
    })
  }

  /** What is due every `everyMs` is done now. */
  tick(nowMs: number): void {
    const { lastMs = nowMs - this.everyMs } = this
    this.lastMs = nowMs
    this.buckets.add(Math.max(nowMs - lastMs - this.everyMs, 0) / 1000)
  }
}
