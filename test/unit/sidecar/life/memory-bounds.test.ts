// How much may be held for others, by the limit that a sidecar runs under.

import { expect, test } from '@jest/globals'
import { memoryBounds } from '../../../../sidecar/life/memory-bounds.ts'

const MIB = 1024 * 1024

test.each<[string, number | undefined, number | undefined, number]>([
  ['the injected limit', undefined, 256, 64],
  ['no limit at all: as with the injected one', undefined, undefined, 64],
  ['none of the container’s, one of the configuration’s', 128, undefined, 32],
  ['both: the lower', 128, 256, 32],
  ['both: the lower, which is the container’s', 512, 256, 64],
  ['a huge one: what V8’s heap can bear', undefined, 64 * 1024, 128],
])('%s', (_name, configured, ofContainer, expected) => {
  const bytes = (mib: number | undefined): number | undefined => mib && mib * MIB
  expect(memoryBounds(bytes(configured), bytes(ofContainer)).budgetBytes).toBe(expected * MIB)
})

test('garbage is collected at once before the limit is near', () => {
  expect(memoryBounds(undefined, 256 * MIB).highBytes / MIB).toBeCloseTo(153.6)
})
