import { expect, test } from '@jest/globals'
import { maxProcesses } from '../../../shared/max-processes.ts'

const MIB = 1024 * 1024

test.each([
  ['as the user said', 5, 64 * 1024 * MIB, 5],
  ['never more than the shim can hold', 5000, undefined, 1024],
  ['by the memory limit', undefined, 960 * MIB, 10],
  ['at least one', undefined, MIB, 1],
  ['at most what the shim can hold', undefined, 1024 * 1024 * MIB, 1024],
  ['a fixed number where nothing is said', undefined, undefined, 32],
])('%s', (_name, configured, memoryBytes, processes) => {
  expect(maxProcesses(configured, memoryBytes)).toBe(processes)
})
