// Two objects as YAML, line by line: what was added, what was taken away, with a little of what
// stayed. Pure.

import { diff } from 'node:util'
import { stringify } from 'yaml'

const CONTEXT_LINES = 2
const MARKS: Readonly<Record<string, string>> = { '-1': '-', '0': ' ', '1': '+' }

/** Lines `+ …`, `- …` and `  …`; longer stretches without change are left out. */
export const yamlDiff = (before: unknown, after: unknown): string => {
  const lines = (value: unknown): string[] =>
    stringify(value, { lineWidth: 0 }).trimEnd().split('\n')
  const changes = diff(lines(after), lines(before))
  const isNear = (index: number): boolean =>
    changes
      .slice(Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1)
      .some(([mark]) => mark !== 0)
  const shown = changes.flatMap(([mark, line], index) => {
    if (isNear(index)) return [`${MARKS[`${mark}`] ?? ' '} ${line}`]
    return isNear(index - 1) ? ['  …'] : []
  })
  return shown.join('\n')
}
