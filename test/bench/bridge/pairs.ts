// What two contenders did in neighbouring windows, and how the one compares with the other. Pure. A
// machine's speed swings by half within a minute: of two neighbours it is in both terms.

import { median, quartiles, type Quartiles } from '../statistics.ts'

/** One contender's figures in one window. */
export type Window = {
  readonly callsPerSecond: number
  /** Microseconds of user and system time of the bridge's own processes. */
  readonly cpuPerCall: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export type Pair = { readonly ours: Window; readonly theirs: Window }

export type Comparison = {
  /** Medians of either's windows. */
  readonly ours: Window
  readonly theirs: Window
  /** Of the pairs' ratios, ours over theirs. */
  readonly calls: Quartiles
  readonly cpu: Quartiles
  /** Medians of the pairs' differences, ours less theirs. */
  readonly p50AddedMs: number
  readonly p99AddedMs: number
}

const NOTHING: Quartiles = { lower: Number.NaN, median: Number.NaN, upper: Number.NaN }

const middle = (windows: readonly Window[]): Window => {
  const of = (value: (window: Window) => number): number => median(windows.map(value)) ?? Number.NaN
  return {
    callsPerSecond: of((one) => one.callsPerSecond),
    cpuPerCall: of((one) => one.cpuPerCall),
    p50Ms: of((one) => one.p50Ms),
    p99Ms: of((one) => one.p99Ms),
  }
}

/** Each pair is compared in itself first; not a number where there is none. */
export const compare = (pairs: readonly Pair[]): Comparison => {
  const of = (value: (pair: Pair) => number): Quartiles => quartiles(pairs.map(value)) ?? NOTHING
  return {
    ours: middle(pairs.map(({ ours }) => ours)),
    theirs: middle(pairs.map(({ theirs }) => theirs)),
    calls: of(({ ours, theirs }) => ours.callsPerSecond / theirs.callsPerSecond),
    cpu: of(({ ours, theirs }) => ours.cpuPerCall / theirs.cpuPerCall),
    p50AddedMs: of(({ ours, theirs }) => ours.p50Ms - theirs.p50Ms).median,
    p99AddedMs: of(({ ours, theirs }) => ours.p99Ms - theirs.p99Ms).median,
  }
}
