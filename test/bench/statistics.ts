// Middle values, which one disturbed measurement in four does not move. Pure.

export type Quartiles = {
  readonly lower: number
  readonly median: number
  readonly upper: number
}

/** How much further a median strays than a mean, of values that are normally distributed. */
const MEDIAN_OVER_MEAN = Math.sqrt(Math.PI / 2)

/** The value at a share of the way through sorted values, between neighbours in proportion. */
const at = (sorted: readonly number[], share: number): number => {
  const place = share * (sorted.length - 1)
  const below = sorted[Math.floor(place)] ?? Number.NaN
  const above = sorted[Math.ceil(place)] ?? Number.NaN
  return below + (above - below) * (place % 1)
}

/** The value below which a share of them lies; undefined of nothing. */
export const quantile = (values: readonly number[], share: number): number | undefined =>
  values.length === 0
    ? undefined
    : at(
        [...values].sort((a, b) => a - b),
        share,
      )

/** Undefined of nothing. */
export const quartiles = (values: readonly number[]): Quartiles | undefined => {
  if (values.length === 0) return undefined
  const sorted = [...values].sort((a, b) => a - b)
  return { lower: at(sorted, 0.25), median: at(sorted, 0.5), upper: at(sorted, 0.75) }
}

/** By how much the median of as many other values would differ from theirs, most often; undefined of fewer than two. */
export const medianError = (values: readonly number[]): number | undefined => {
  const { length } = values
  if (length < 2) return undefined
  const mean = values.reduce((sum, value) => sum + value, 0) / length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (length - 1)
  return MEDIAN_OVER_MEAN * Math.sqrt(variance / length)
}

/** The middle value; undefined of nothing. */
export const median = (values: readonly number[]): number | undefined => quartiles(values)?.median
