import { expect, test } from '@jest/globals'
import { exitCode, lossOf } from '../../../../cli/output/loss.ts'

const GONE = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
const FULL = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })

test.each([
  ['nothing lost', 0, undefined, 0],
  ['a reader that has left', 0, GONE, 141],
  ['a full disk', 0, FULL, 1],
  ['a denial that nobody read', 1, GONE, 1],
  ['wrong usage that nobody read', 2, FULL, 2],
])('exit code of %s', (_name, code, error, expected) => {
  expect(exitCode(code, error && lossOf('standard output', error))).toBe(expected)
})

test.each([
  ['a reader that has left', GONE, 'standard output is not whole: whoever read it has left'],
  ['a full disk', FULL, 'standard output is not whole: the disk is full'],
])('%s in words', (_name, error, message) => {
  expect(lossOf('standard output', error).message).toBe(message)
})
