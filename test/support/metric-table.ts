// The table of metrics in a README: each with its labels.

import { readFileSync } from 'node:fs'

const words = (cell: string): readonly string[] =>
  [...cell.matchAll(/`([a-z0-9_]+)`/g)].map(([, word = '']) => word)

/** `metric label …`, one a metric. */
export const listedMetrics = (readme: string): readonly string[] => {
  const [, rest = ''] = readFileSync(readme, 'utf8').split('<!-- metrics:begin -->')
  const [table = ''] = rest.split('<!-- metrics:end -->')
  const rows = table.split('\n').filter((line) => line.startsWith('| `'))
  let labels: readonly string[] = []
  return rows.flatMap((row) => {
    const [, names = '', cell = ''] = row.split('|')
    if (cell.trim() !== 'the same') labels = words(cell)
    return words(names).map((name) => [name, ...labels].join(' '))
  })
}
