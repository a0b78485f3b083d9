// How far the records have come, told elsewhere: again and again, and at the end whatever is on its way.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { readCheckpoint } from '../../../../shared/audit/checkpoint.ts'
import { Checkpoints } from '../../../../sidecar/audit/checkpoints.ts'
import { keptLog } from '../../../support/kept-log.ts'

const linkOf = (seq: number) => ({ instance: 'one', seq, hash: `hash-${seq}` })

const someCheckpoints = () => {
  const told: (number | undefined)[] = []
  const ends: ((error?: Error) => void)[] = []
  const checkpoints = new Checkpoints(
    {
      server: 'local',
      everyMs: 1000,
      key: undefined,
      wallMs: () => 0,
      write: (text) => {
        told.push(readCheckpoint(text)?.seq)
        return new Promise((resolve, reject) => {
          ends.push((error) => (error ? reject(error) : resolve()))
        })
      },
      log: keptLog().log,
    },
    0,
  )
  return { checkpoints, told, ends }
}

test('one is told when it is time, and not while another is on its way', async () => {
  const { checkpoints, told, ends } = someCheckpoints()
  checkpoints.sweep(linkOf(1), 999)
  expect(told).toEqual([])
  checkpoints.sweep(linkOf(1), 1000)
  await nextTurn()
  checkpoints.sweep(linkOf(2), 2000)
  await nextTurn()
  expect(told).toEqual([1])
  ends[0]?.()
  await nextTurn()
  checkpoints.sweep(linkOf(3), 2001)
  await nextTurn()
  expect(told).toEqual([1, 3])
})

test.each<[string, Error | undefined, number, readonly number[]]>([
  ['is told behind one that is on its way', undefined, 2, [1, 2]],
  ['is told once where that is the same', undefined, 1, [1]],
  ['is told anew where the same was not taken', new Error('EPIPE'), 1, [1, 1]],
])('at the end the last %s', async (_name, error, seq, expected) => {
  const { checkpoints, told, ends } = someCheckpoints()
  checkpoints.sweep(linkOf(1), 1000)
  await nextTurn()
  const last = checkpoints.tell(linkOf(seq))
  ends[0]?.(error)
  await nextTurn()
  ends[1]?.()
  await last
  expect(told).toEqual(expected)
})
