// Whether npx runs us, and that we notice its end.

import { describe, expect, jest, test } from '@jest/globals'
import { isRunByNpx, whenOrphaned } from '../../../../cli/command/npx.ts'

describe('whether npx runs us', () => {
  const npx = { npm_lifecycle_event: 'npx', npm_command: 'exec' }
  test.each([
    ['npx outrigger run', { ...npx, npm_lifecycle_script: "'outrigger' run -- cat" }, true],
    ['npx -c', { ...npx, npm_lifecycle_script: 'outrigger run -- cat' }, true],
    ['another program that npx runs starts us', { ...npx, npm_lifecycle_script: 'agents' }, false],
    [
      'a script of a package',
      { npm_lifecycle_event: 'start', npm_lifecycle_script: 'outrigger run -- cat' },
      false,
    ],
    ['no npm at all', {}, false],
  ])('%s', (_name, environment, isIt) => {
    expect(isRunByNpx(environment)).toBe(isIt)
  })
})

test('another parent is noticed, once', () => {
  jest.useFakeTimers()
  try {
    const process = { ppid: 7 }
    let orphaned = 0
    whenOrphaned(process, () => orphaned++)
    jest.advanceTimersByTime(10_000)
    expect(orphaned).toBe(0)
    process.ppid = 1
    jest.advanceTimersByTime(10_000)
    expect(orphaned).toBe(1)
  } finally {
    jest.useRealTimers()
  }
})
