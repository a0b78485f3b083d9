// The bytes of one write: the same in memory that is used again, also where that is too small for all of them.

import { expect, test } from '@jest/globals'
import { Chain } from '../../../../shared/audit/chain.ts'
import { Batches } from '../../../../sidecar/audit/batches.ts'

const chain = (): Chain => new Chain({ instance: 'one', server: 's', prev: '' })
const taken = (lengths: readonly number[]) => ({
  records: lengths.map((length) => ({
    members: `"event":"${'é'.repeat(length)}"`,
    timeMs: 0,
    bytes: length,
    turn: undefined,
  })),
  bytes: lengths.reduce((sum, length) => sum + length, 0),
})

test.each([
  [[]],
  [[1]],
  [[500, 3, 900]],
  [[40_000, 1, 10_000, 1]],
  [[70_000]],
  [Array.from({ length: 300 }, () => 700)],
])('records of %j characters', (lengths) => {
  const [apart, inTurn] = [new Batches(chain(), () => 0), new Batches(chain(), () => 0)]
  for (let time = 0; time < 3; time++) {
    const [one, other] = [apart.of(taken(lengths)), inTurn.inTurn(taken(lengths))]
    expect(other.rest.equals(one.rest)).toBe(true)
    expect(other.last).toEqual(one.last)
  }
})
