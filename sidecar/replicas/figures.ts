// What becomes of exchanges between replicas, counted: each kind of a known set.

import { Buckets } from '../telemetry/buckets.ts'
import type { ReplicaFigures } from '../telemetry/replica-metrics.ts'

/** Bounds of buckets in seconds: a hop takes less than a call. */
const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60]

/**
 * `answered`; `gone`: the Service does not name its replica; `unreachable`: nobody of ours answers there; `forged`: its id is
 * nobody's; `full`: too many are on their way; `broken`: it ended without an answer; `left`: its client went before that.
 */
const HOPS = ['answered', 'gone', 'unreachable', 'forged', 'full', 'broken', 'left'] as const
export type HopResult = (typeof HOPS)[number]

const VOUCHERS = ['taken', 'refused', 'used'] as const
export type VoucherResult = (typeof VOUCHERS)[number]

export class Figures implements ReplicaFigures {
  readonly hops = new Map<HopResult, number>(HOPS.map((result) => [result, 0]))
  readonly vouchers = new Map<VoucherResult, number>(VOUCHERS.map((result) => [result, 0]))
  readonly bounds = SECONDS
  readonly seconds = new Buckets(SECONDS)
  readonly open: () => number

  constructor(open: () => number) {
    this.open = open
  }

  hop(result: HopResult): void {
    this.hops.set(result, (this.hops.get(result) ?? 0) + 1)
  }

  voucher(result: VoucherResult): void {
    this.vouchers.set(result, (this.vouchers.get(result) ?? 0) + 1)
  }
}
