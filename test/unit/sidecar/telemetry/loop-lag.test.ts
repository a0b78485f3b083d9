// How late the event loop was, in buckets.

import { expect, test } from '@jest/globals'
import { Registry } from 'prom-client'
import { LoopLag } from '../../../../sidecar/telemetry/loop-lag.ts'

test.each([
  ['the first time says nothing', [5000], 0, '0.002'],
  ['in time', [0, 250, 500], 0, '0.002'],
  ['early is not late', [0, 240], 0, '0.002'],
  ['late by what it is later than the last', [0, 350], 0.1, '0.1'],
  ['very late', [0, 60_250], 60, '+Inf'],
])('%s', async (_name, ticks, seconds, bucket) => {
  const lag = new LoopLag(250)
  for (const nowMs of ticks) lag.tick(nowMs)
  const registry = new Registry()
  registry.registerMetric(lag.metric)
  const text = await registry.metrics()
  expect(text).toContain(`outrigger_event_loop_lag_seconds_sum ${seconds}\n`)
  const line = text.split('\n').find((line) => line.endsWith(` ${ticks.length}`))
  expect(line).toBe(`outrigger_event_loop_lag_seconds_bucket{le="${bucket}"} ${ticks.length}`)
})
