// The codes of the proxy's refusals, as the README has them.

import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { WHYS } from '../../../../../sidecar/egress/reach/why.ts'

test('the README tells of each code, and of no other', () => {
  const readme = readFileSync('sidecar/README.md', 'utf8')
  const [, table = ''] =
    /\n\| code\s+\| means\s+\|\n\| -+ \| -+ \|\n((?:\|.*\n)+)/.exec(readme) ?? []
  const cells = table
    .split('\n')
    .map((row) => row.split('|')[1])
    .join(' ')
  const told = Array.from(cells.matchAll(/`([^`]+)`/g), ([, code]) => code)
  expect(new Set(told)).toEqual(new Set(WHYS))
})
