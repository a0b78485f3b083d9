// What is counted of exchanges between replicas, read when somebody asks for it.

import type { Metric } from 'prom-client'
import type { Buckets } from './buckets.ts'
import { counter, gaugeOf } from './collected.ts'
import { ReadHistogram } from './histogram.ts'

export interface ReplicaFigures {
  /** Exchanges sent to another replica, by what became of them. */
  readonly hops: ReadonlyMap<string, number>
  /** Vouchers that others have sent, by what became of them. */
  readonly vouchers: ReadonlyMap<string, number>
  readonly bounds: readonly number[]
  readonly seconds: Buckets
  /** Those that are on their way. */
  readonly open: () => number
}

export const replicaMetrics = ({
  hops,
  vouchers,
  bounds,
  seconds,
  open,
}: ReplicaFigures): readonly Metric[] => [
  counter(
    {
      name: 'outrigger_replica_hops_total',
      help: 'Exchanges of a session of another replica, by what became of them.',
      by: 'result',
    },
    () => hops,
  ),
  counter(
    {
      name: 'outrigger_replica_vouchers_total',
      help: 'Exchanges that another replica has sent, by what became of their vouchers.',
      by: 'result',
    },
    () => vouchers,
  ),
  new ReadHistogram({
    name: 'outrigger_replica_hop_duration_seconds',
    help: 'How long another replica took to begin its answer.',
    bounds,
    series: () => [{ labels: {}, buckets: seconds }],
  }),
  gaugeOf('outrigger_replica_hops_open', 'Exchanges that are with another replica.', open),
]
