// Records as bytes among others, and as lines: the same ones, wherever there is room.

import { expect, test } from '@jest/globals'
import { Chain } from '../../../../shared/audit/chain.ts'

const aChain = (): Chain => new Chain({ instance: 'one', server: 's', pod: 'n/p', prev: '' })
const MEMBERS = [
  '"event":"end"',
  '"event":"summary","é":"語😀\\ud800"',
  `"event":"${'x'.repeat(5000)}"`,
]

test('bytes are those of the lines', () => {
  const [lines, bytes] = [aChain(), aChain()]
  const room = Buffer.alloc(64 * 1024)
  let [text, end] = ['', 0]
  for (const [time, members] of [...MEMBERS, ...MEMBERS].entries()) {
    text += lines.line(members, time)
    end = bytes.put(members, time, room, end)
  }
  expect(room.subarray(0, end)).toEqual(Buffer.from(text))
  expect(bytes.last).toEqual(lines.last)
})

test('where there is no room nothing is written, and no place is taken', () => {
  const [lines, bytes] = [aChain(), aChain()]
  for (const members of MEMBERS) {
    const line = Buffer.from(lines.line(members, 0))
    for (const size of [0, 1, 57, line.length - 1]) {
      const room = Buffer.alloc(size, 'x')
      expect(bytes.put(members, 0, room, 0)).toBe(0)
      expect(room.every((byte) => byte === 0x78)).toBe(true)
    }
    const room = Buffer.alloc(3 * line.length)
    expect(room.subarray(0, bytes.put(members, 0, room, 0))).toEqual(line)
  }
  expect(bytes.last).toEqual(lines.last)
})
