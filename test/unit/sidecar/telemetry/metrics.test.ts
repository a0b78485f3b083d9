// The README's table of metrics: each that there is, with its labels, and no other.

import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { everyMetric } from '../../../support/fake-metrics.ts'
import { listedMetrics } from '../../../support/metric-table.ts'

const README = fileURLToPath(new URL('../../../../sidecar/README.md', import.meta.url))

test('the README lists each metric with its labels, and no other', async () => {
  const known = [...(await everyMetric())].map(([name, labels]) => [name, ...labels].join(' '))
  expect([...listedMetrics(README)].sort()).toEqual(known.sort())
})
