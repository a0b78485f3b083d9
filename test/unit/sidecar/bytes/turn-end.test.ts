import { setImmediate as nextTurn } from 'node:timers/promises'
import { beforeEach, expect, test } from '@jest/globals'
import { TurnEnd } from '../../../../sidecar/bytes/turn-end.ts'

let turnEnd: TurnEnd
let done: string[]

beforeEach(() => {
  turnEnd = new TurnEnd()
  done = []
})

const note = (what: string) => (): void => void done.push(what)

test('nothing is done before the turn ends, and then once', async () => {
  turnEnd.last(note('one'))
  turnEnd.last(note('two'))
  await Promise.resolve()
  expect(done).toEqual([])
  await nextTurn()
  expect(done).toEqual(['one', 'two'])
  await nextTurn()
  expect(done).toEqual(['one', 'two'])
})

test('who waits for what comes first is in time for what comes last, in the same turn', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  void promise.then(() => Promise.resolve()).then(() => turnEnd.last(note('written')))
  turnEnd.first(() => {
    note('on record')()
    resolve()
  })
  setImmediate(() => setImmediate(note('next turn')))
  await nextTurn()
  await nextTurn()
  expect(done).toEqual(['on record', 'written', 'next turn'])
})

test('what is added while the last is done is done in the next turn', async () => {
  turnEnd.last(() => turnEnd.last(note('later')))
  await nextTurn()
  expect(done).toEqual([])
  await nextTurn()
  expect(done).toEqual(['later'])
})
