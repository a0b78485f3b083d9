// What the flags of `outrigger run` say of themselves, and of values that are wrong.

import { describe, expect, test } from '@jest/globals'
import { parseRunFlags, settingsHelp } from '../../../../cli/run/run-flags.ts'

describe('a value that is wrong is told by its flag', () => {
  test.each([
    ['one', ['--idle-timeout', 'banana'], /^--idle-timeout: "banana" is not right: use a duration/],
    [
      'all at once',
      ['--idle-timeout', 'banana', '--process-model', 'many'],
      /--process-model: "many".*--idle-timeout: "banana"/,
    ],
  ])('%s', (_name, args, says) => {
    const flags = parseRunFlags([...args, '--', 'cat'])
    expect(flags.ok ? '' : flags.error).toMatch(says)
  })
})

test('the help tells the defaults that hold here', () => {
  expect(settingsHelp()).toMatch(/--log-level VALUE\n.*default warn\)/)
  expect(settingsHelp()).toMatch(/--request-timeout VALUE\n.*default 60s\)/)
  expect(settingsHelp()).toMatch(/--egress VALUE\n +Not built yet\. What/)
})
