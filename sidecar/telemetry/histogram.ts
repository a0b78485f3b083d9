// How long things take, as buckets have it, worked out when somebody asks. prom-client's own histogram makes several objects
// and a text for each value.

import { Gauge } from 'prom-client'
import type { Buckets } from './buckets.ts'

export type Labels = Readonly<Record<string, string>>

export interface Series {
  readonly labels: Labels
  readonly buckets: Buckets
}

export interface HistogramOptions {
  readonly name: string
  readonly help: string
  readonly bounds: readonly number[]
  readonly series: () => Iterable<Series>
}

const linesOf = (name: string, bounds: readonly number[], { labels, buckets }: Series) => {
  let count = 0
  const within = [...bounds, '+Inf'].map((le, place) => ({
    metricName: `${name}_bucket`,
    labels: { ...labels, le },
    value: (count += buckets.counts[place] ?? 0),
  }))
  return [
    ...within,
    { metricName: `${name}_sum`, labels, value: buckets.sum },
    { metricName: `${name}_count`, labels, value: count },
  ]
}

/** As prom-client's registry takes it. */
export class ReadHistogram extends Gauge {
  /** What the registry says it is. */
  readonly type = 'histogram'
  private readonly options: HistogramOptions

  constructor(options: HistogramOptions) {
    const { name, help } = options
    super({ name, help, registers: [] })
    this.options = options
  }

  override async get(): ReturnType<Gauge['get']> {
    const { name, bounds, series } = this.options
    const empty = await super.get()
    return { ...empty, values: [...series()].flatMap((one) => linesOf(name, bounds, one)) }
  }
}
