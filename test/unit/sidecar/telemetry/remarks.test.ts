// What is taken although it is not as it should be: counted each time, named in the log once, and listed in the README.

import { expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { TOLERANCES, type Tolerance } from '../../../../sidecar/mcp/tolerance.ts'
import { createRemarks } from '../../../../sidecar/telemetry/remarks.ts'
import { keptLog } from '../../../support/kept-log.ts'

const README = new URL('../../../../sidecar/README.md', import.meta.url)

test('the README lists each word, and no other', () => {
  const [, rest = ''] = readFileSync(README, 'utf8').split('<!-- tolerated:begin -->')
  const [table = ''] = rest.split('<!-- tolerated:end -->')
  const listed = [...table.matchAll(/^\| `([a-z-]+)` +\| \S/gm)].map(([, word]) => word)
  expect(new Set(listed)).toEqual(new Set(Object.keys(TOLERANCES)))
  expect(listed).toHaveLength(Object.keys(TOLERANCES).length)
})

test('each is counted, and the first of each word is logged', () => {
  const counted: Tolerance[] = []
  const { log, lines } = keptLog()
  const remarks = createRemarks(log, { tolerated: (what) => void counted.push(what) })
  for (const what of ['null-member', 'byte-order-mark', 'null-member'] as const) {
    remarks.tolerated(what)
  }
  expect(counted).toEqual(['null-member', 'byte-order-mark', 'null-member'])
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ level: 'info', what: 'null-member' }),
    expect.objectContaining({ level: 'info', what: 'byte-order-mark' }),
  ])
})

test('what is odd is logged once, with the fix', () => {
  const { log, lines } = keptLog()
  const remarks = createRemarks(log, { tolerated: () => undefined })
  for (const seen of ['one', 'two']) remarks.odd('text', seen)
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ level: 'warn', seen: 'one', fix: expect.stringContaining('stderr') }),
  ])
})
