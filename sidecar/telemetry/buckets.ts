// How long things take, counted in buckets: nothing is allocated for a value.

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
