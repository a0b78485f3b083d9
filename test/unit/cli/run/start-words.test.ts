import { expect, test } from '@jest/globals'
import { byFlag, startWords } from '../../../../cli/run/start-words.ts'
import { fault } from '../../../../sidecar/mcp/faults.ts'

test.each([
  ['within 1000 ms (outrigger.dev/startup-timeout)', 'within 1000 ms (--startup-timeout)'],
  ['outrigger.dev/run-as-user has no flag', 'outrigger.dev/run-as-user has no flag'],
  ['outrigger-dev/startup-timeout', 'outrigger-dev/startup-timeout'],
])('settings are named by their flags: %s', (text, told) => {
  expect(byFlag(text)).toBe(told)
})

test.each([
  [
    'an end, in brief',
    fault('server-exited', 'it ended: stderr', { brief: 'it ended' }),
    'it ended, before it had answered; try its command by itself',
  ],
  ['what says itself what to do', fault('request-timeout', 'it is silent'), 'it is silent'],
])('%s', (_name, of, told) => {
  expect(startWords(of)).toBe(told)
})
