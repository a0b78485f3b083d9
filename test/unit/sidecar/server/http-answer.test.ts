// What a server answers over HTTP is handed out in order; what is large has a turn of the event loop of its own, in which
// nothing else is done. Turns are counted, not time.

import { expect, test } from '@jest/globals'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Events, readWhole } from '../../../../sidecar/server/http-answer.ts'
import { aBudget } from '../../../support/budgets.ts'

const LARGE = 200_000
const event = (data: string): string => `data: ${data}\n\n`

/** How many turns each has waited, in the order in which they came. */
type Told = readonly (readonly [what: string, turn: number])[]

/** Sends chunks as they may be read, and counts turns until everything has come. */
const told = async (chunks: readonly string[], isWhole = false): Promise<Told> => {
  const response = new IncomingMessage(new Socket())
  const heard: (readonly [string, number])[] = []
  const now = { turn: 0, isOver: false }
  const hear = (data: Buffer): void => void heard.push([data.toString().slice(0, 3), now.turn])
  const end = (): void => void (now.isOver = true)
  const budget = aBudget()
  if (isWhole) {
    readWhole(response, budget, (bytes) => {
      hear(bytes)
      end()
    })
  } else {
    const events = new Events(response, { budget, onEvent: ({ data }) => hear(data), onEnd: end })
    expect(events.lastId).toBeUndefined()
  }
  for (const chunk of chunks) response.push(chunk)
  response.push(null)
  while (!now.isOver) {
    // oxlint-disable-next-line no-await-in-loop -- turn by turn is the point
    await nextTurn()
    now.turn++
  }
  return heard
}

const turns = (all: Told): number => new Set(all.map(([, turn]) => turn)).size

test('small events of a chunk come in one turn', async () => {
  const all = await told(['a', 'b', 'c'].map(event))
  expect(all.map(([what]) => what)).toEqual(['a', 'b', 'c'])
  expect(turns(all)).toBe(1)
})

test('large ones come in order, each in a turn of its own, small ones behind them', async () => {
  const names = ['a1', 'b1', 'b2', 'c1']
  const text = names.map(
    (name) => event('x'.repeat(LARGE).replace('xxx', `${name} `)) + event(name),
  )
  const all = await told([event('0'), text.join('')])
  expect(all.map(([what]) => what.trim())).toEqual(['0', ...names.flatMap((name) => [name, name])])
  const large = all.filter((_, index) => index % 2 === 1)
  expect(turns(large)).toBe(names.length)
})

test('very many come so many in a turn', async () => {
  const all = await told([event('a').repeat(2000)])
  expect(all.length).toBe(2000)
  expect(turns(all)).toBe(4)
})

test('what follows a large one waits for it, also in another chunk', async () => {
  const all = await told([event(`big${'x'.repeat(LARGE)}`), event('a'), event('b')])
  expect(all.map(([what]) => what)).toEqual(['big', 'a', 'b'])
})

test.each([
  ['small: at once', 100, 1],
  ['large: in a turn of its own', LARGE, 2],
])('a body that is %s', async (_name, length, atLeast) => {
  const [[what, turn] = ['', 0]] = await told(['x'.repeat(length)], true)
  expect(what).toBe('xxx')
  const [[, small] = ['', 0]] = await told(['x'], true)
  expect(turn - small).toBe(atLeast - 1)
})
