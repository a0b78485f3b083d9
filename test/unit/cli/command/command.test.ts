import { expect, test } from '@jest/globals'
import { isHelp } from '../../../../cli/command/command.ts'

test.each([
  ['alone', ['--help'], true],
  ['in short', ['-h'], true],
  ['behind other flags', ['--port', '0', '--help'], true],
  ['of the command that is run', ['--port', '0', '--', 'server', '--help'], false],
  ['not at all', ['-f', 'x'], false],
])('help is asked for: %s', (_name, args, expected) => {
  expect(isHelp(args)).toBe(expected)
})
