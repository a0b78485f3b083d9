// The README's table of metrics: each that there is, with its labels, and no other.

import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { everyMetric } from '../../../support/fake-metrics.ts'

const README = new URL('../../../../sidecar/README.md', import.meta.url)

const words = (cell: string): readonly string[] =>
  [...cell.matchAll(/`([a-z0-9_]+)`/g)].map(([, word = '']) => word)

/** `metric label …`, one a metric. */
const listed = (): readonly string[] => {
  const [, rest = ''] = readFileSync(README, 'utf8').split('<!-- metrics:begin -->')
  const [table = ''] = rest.split('<!-- metrics:end -->')
  const rows = table.split('\n').filter((line) => line.startsWith('| `'))
  let labels: readonly string[] = []
  return rows.flatMap((row) => {
    const [, names = '', cell = ''] = row.split('|')
    if (cell.trim() !== 'the same') labels = words(cell)
    return words(names).map((name) => [name, ...labels].join(' '))
  })
}

test('the README lists each metric with its labels, and no other', async () => {
  const known = [...(await everyMetric())].map(([name, labels]) => [name, ...labels].join(' '))
  expect([...listed()].sort()).toEqual(known.sort())
})
