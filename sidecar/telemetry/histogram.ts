// How long things take, counted in buckets: nothing is allocated for a value, and nothing is worked out before somebody
// asks. prom-client's own histogram makes several objects and a text for each value.

import { Gauge } from 'prom-client'

export class Buckets {
  /** How many values lie within each bound and beyond the one before; the last are beyond all. */
  readonly counts: number[]
  sum = 0
  private readonly bounds: readonly number[]

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = [...bounds, Infinity].map(() => 0)
  }

  add(value: number): void {
    let place = 0
    while (value > (this.bounds[place] ?? Infinity)) place++
    this.counts[place] = (this.counts[place] ?? 0) + 1
    this.sum += value
  }
}

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
