// What the sidecar's own process uses, and which it is.

import { Gauge, type Metric } from 'prom-client'
import { VERSION } from '../../shared/names.ts'
import { counter, gaugeOf, totalOf } from './collected.ts'

/** What a process uses. */
export interface ProcessFigures {
  readonly residentBytes: () => number
  readonly heapUsedBytes: () => number
  readonly cpuMicroseconds: () => number
  /** Milliseconds since 1970. */
  readonly startedMs: number
  /** The version of Node. */
  readonly node: string
}

/** Bytes over clients' connections, and how many of these there are. */
export interface TrafficFigures {
  readonly connections: number
  bytes(): { readonly received: number; readonly sent: number }
}

// Not prom-client's default metrics: their garbage collection observer costs memory and time a call.
export const processMetrics = (process: ProcessFigures): readonly Metric[] => {
  const build = new Gauge({
    name: 'outrigger_build_info',
    help: 'Always 1; its labels say what runs.',
    labelNames: ['version', 'node'] as const,
    registers: [],
  })
  build.set({ version: VERSION, node: process.node }, 1)
  return [
    build,
    gaugeOf('process_resident_memory_bytes', 'Resident memory.', process.residentBytes),
    gaugeOf('nodejs_heap_size_used_bytes', 'V8 heap in use.', process.heapUsedBytes),
    totalOf(
      'process_cpu_seconds_total',
      'User and system time.',
      () => process.cpuMicroseconds() / 1_000_000,
    ),
    gaugeOf(
      'process_start_time_seconds',
      'When the process began, since 1970.',
      () => process.startedMs / 1000,
    ),
  ]
}

export const trafficMetrics = (traffic: TrafficFigures): readonly Metric[] => [
  gaugeOf(
    'outrigger_connections',
    'Connections of clients that are open.',
    () => traffic.connections,
  ),
  counter(
    {
      name: 'outrigger_network_bytes_total',
      help: "Bytes over clients' connections, heads of requests and answers included.",
      by: 'direction',
    },
    () => Object.entries(traffic.bytes()),
  ),
]
