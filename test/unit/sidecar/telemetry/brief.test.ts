// What spans and records hold of a text that somebody else has written.

import { expect, test } from '@jest/globals'
import { brief } from '../../../../sidecar/telemetry/brief.ts'

const HALF = '\uFFFD'
const TOKEN = `ghp_${'a'.repeat(36)}`

test.each<[string, string, string]>([
  ['a short one, as it is', 'echo', 'echo'],
  ['half a character, as a mark', 'a\uD83D', `a${HALF}`],
  ['its first 256 characters', 'x'.repeat(300), 'x'.repeat(256)],
  ['no half of the 256th', `${'x'.repeat(255)}😀 and more`, `${'x'.repeat(255)}${HALF}`],
  ['nor of one far longer', `${'x'.repeat(255)}😀${'x'.repeat(1000)}`, `${'x'.repeat(255)}${HALF}`],
  ['no secret', `see ${TOKEN}`, 'see [removed]'],
  ['nor the beginning of one', `${'x '.repeat(120)}${TOKEN}`, `${'x '.repeat(120)}[removed]`],
  [
    'nor, where some were taken out, what stands close to where the looking ended',
    `${TOKEN} ${'x'.repeat(970)} ${TOKEN}`,
    `[removed] ${'x'.repeat(215)}`,
  ],
])('%s', (_what, text, said) => {
  const shown = brief(text)
  expect(shown).toBe(said)
  expect(shown.isWellFormed()).toBe(true)
  expect(shown.length).toBeLessThanOrEqual(256)
})
