// The codes of the proxy's refusals, as the README has them.

import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { PAST_WHYS } from '../../../../../sidecar/egress/reach/past-proxy.ts'
import { WHYS } from '../../../../../sidecar/egress/reach/why.ts'

test.each([
  ['of the proxy', 'code', WHYS],
  ['of what goes past it', 'code of what goes past', PAST_WHYS],
])('the README tells of each code %s, and of no other', (_name, head, codes) => {
  const readme = readFileSync('sidecar/README.md', 'utf8')
  const [, table = ''] =
    new RegExp(`\\n\\| ${head}\\s+\\| means\\s+\\|\\n\\| -+ \\| -+ \\|\\n((?:\\|.*\\n)+)`).exec(
      readme,
    ) ?? []
  const cells = table
    .split('\n')
    .map((row) => row.split('|')[1])
    .join(' ')
  const told = Array.from(cells.matchAll(/`([^`]+)`/g), ([, code]) => code)
  expect(new Set(told)).toEqual(new Set<string>(codes))
})
