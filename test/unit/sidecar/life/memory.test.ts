// What a sidecar may hold for others by its memory, and messages that are longer than it could hold.

import { expect, test } from '@jest/globals'
import { parseSidecarConfig } from '../../../../shared/sidecar-config.ts'
import { memoryOf } from '../../../../sidecar/life/memory.ts'
import type { Process } from '../../../../sidecar/life/process.ts'
import type { Budget } from '../../../../sidecar/bytes/budget.ts'

const MIB = 1024 * 1024

const budget = (settings: Record<string, string>, limitMib?: number): Budget => {
  const config = parseSidecarConfig({ settings })
  if (!config.ok) throw new Error(config.error.join())
  const process: Process = {
    uid: 1,
    residentBytes: () => 0,
    heapUsedBytes: () => 0,
    cpuMicroseconds: () => 0,
    startedMs: 0,
    node: '',
    memoryLimitBytes: limitMib === undefined ? undefined : limitMib * MIB,
    collect: undefined,
  }
  return memoryOf({ config: config.value, process, now: () => 0 }).budget
}

test.each([
  ['the defaults', {}, { requestBytes: 4 * MIB, responseBytes: 16 * MIB }],
  [
    'what is set',
    { 'max-request-size': '512Ki', 'max-response-size': '1Mi' },
    { requestBytes: 512 * 1024, responseBytes: MIB },
  ],
])('a message may be as long as %s say', (_name, settings, sizes) => {
  expect(budget(settings).sizes).toEqual(sizes)
})

test('a message that is longer than there is memory for is refused at start', () => {
  const settings = { 'max-response-size': '32Mi' }
  expect(() => budget(settings, 256)).toThrow('outrigger.dev/max-response-size: `32Mi` is more')
  expect(budget(settings, 512).sizes.responseBytes).toBe(32 * MIB)
})
