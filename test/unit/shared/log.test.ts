// What somebody else has written in a line of the log: whoever shows it on a terminal sees text, and whoever parses it
// gets what was written.

import { expect, test } from '@jest/globals'
import { createLog, type LogOptions } from '../../../shared/log.ts'

const logged = (text: string, options: Partial<LogOptions> = {}): string => {
  const lines: string[] = []
  const log = createLog({
    level: 'info',
    write: (line) => void lines.push(line),
    now: () => 0,
    ...options,
  })
  log.info(text, { seen: text })
  return lines.join('')
}

const VISIBLE = /^[\x20-\x7e]*\n$/

test.each([
  ['a line end', 'a\nb\r\n{"level":"error"}'],
  ['an escape sequence', '\x1b[2J\x1b]0;title\x07'],
  ['a control sequence in one character', '\x9b31mred\x9d0;title\x9c'],
  ['a deletion', 'good\x7f\x7f\x7f\x7fbad'],
  ['a separator that is a line end to some', 'a\u2028b\u2029c'],
  ['text that is turned around', '\u202egnp.exe\u202c \u2066x\u2069'],
])('%s is shown and not done', (_name, text) => {
  const line = logged(text)
  expect(line).toMatch(VISIBLE)
  expect(JSON.parse(line)).toMatchObject({ message: text, seen: text })
  expect(logged(text, { isPlain: true })).toMatch(VISIBLE)
})

test('letters of any script are as they are', () => {
  expect(logged('Grüße, 你好 🛶')).toContain('Grüße, 你好 🛶')
})
