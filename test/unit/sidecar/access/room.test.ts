// Who makes room where every place is taken, and in which order newcomers get one.

import { describe, expect, test } from '@jest/globals'
import { inTurn, lastOfMost, whoMakesRoom, type Holder } from '../../../../sidecar/access/room.ts'

const NOW_MS = 100_000
const IDLE_TIMEOUT_MS = 60_000

interface Place extends Holder {
  readonly name: string
}

/** Places as words: `A:busy`, `A:30` detached for 30 s, `A:30+stream` idle for 30 s with an open stream. */
const placesIn = (text: string): readonly Place[] =>
  text.split(' ').map((name) => {
    const [, principal = '', seconds = '', stream] =
      /^(\w):(busy|[\d.]+)(\+stream)?$/.exec(name) ?? []
    if (seconds === 'busy') return { name, principal, idle: undefined }
    const sinceMs = NOW_MS - Number(seconds) * 1000
    return { name, principal, idle: { sinceMs, isListening: stream !== undefined } }
  })

describe('whose place a newcomer of A gets', () => {
  test.each<[why: string, places: string, gets: string | undefined]>([
    ['the longest detached of its own', 'A:5 A:9 A:7', 'A:9'],
    ['its own before a longer one of another', 'A:5 B:50 B:60 B:busy', 'A:5'],
    ['its own although it holds less than its share', 'A:5 B:50 B:busy B:busy B:busy', 'A:5'],
    ['nobody’s that has a call in flight', 'A:busy A:busy', undefined],
    ['nobody’s that was used a moment ago', 'A:0.5 A:0.999', undefined],
    ['its own once that moment has passed', 'A:0.5 A:1', 'A:1'],
    ['none with an open stream before the idle time', 'A:59+stream A:busy', undefined],
    ['one with an open stream after the idle time', 'A:60+stream A:busy', 'A:60+stream'],
    ['a detached one before an idle one with a stream', 'A:59+stream A:2', 'A:2'],
    ['the longest detached of who holds most', 'B:5 C:90 B:7 B:busy A:busy', 'B:7'],
    ['of who holds most among those who can give', 'B:busy B:busy B:busy C:5 C:9 A:busy', 'C:9'],
    ['the longest detached where two hold as much', 'B:5 B:busy C:6 C:busy', 'C:6'],
    [
      'none of who holds less than a fair share',
      'B:90 C:busy C:busy C:busy C:busy C:busy',
      undefined,
    ],
    ['one of who holds exactly a fair share', 'B:90 B:busy C:busy C:busy C:busy A:busy', 'B:90'],
    ['none where it holds its share itself', 'A:busy A:busy B:90 B:95', undefined],
    ['one of the greedy where it holds nothing', 'B:1 B:2 B:3 B:busy', 'B:3'],
    ['none of the greedy who works everywhere', 'B:busy B:busy B:0.1 B:5+stream', undefined],
  ])('%s', (_why, text, gets) => {
    const places = placesIn(text)
    const rules = { places: places.length, idleTimeoutMs: IDLE_TIMEOUT_MS }
    const found = whoMakesRoom(places, { principal: 'A' }, rules, NOW_MS)
    expect(found?.name).toBe(gets)
  })
})

/** Newcomers as words: `A1` is the first of A. */
const newcomers = (text: string) =>
  text.split(' ').flatMap((name) => (name === '' ? [] : [{ name, principal: name.slice(0, 1) }]))

describe('who is next', () => {
  test.each<[why: string, waiting: string, holders: string, turns: string]>([
    ['who came first', 'A1 A2 A3', '', 'A1 A2 A3'],
    ['who holds less', 'A1 B1', 'A0', 'B1 A1'],
    ['who holds less by then', 'A1 A2 A3 B1 B2', 'A0', 'B1 A1 B2 A2 A3'],
    [
      'the newcomer before a crowd of one principal',
      'A1 A2 A3 A4 B1',
      'A0 A0 A0',
      'B1 A1 A2 A3 A4',
    ],
    ['nobody where nobody waits', '', 'A0', ''],
  ])('%s', (_why, waiting, holders, turns) => {
    const found = inTurn(newcomers(waiting), newcomers(holders))
    expect(found.map(({ name }) => name).join(' ')).toBe(turns)
  })
})

test.each<[waiting: string, leaves: string | undefined]>([
  ['A1 A2 B1', 'A2'],
  ['B1 A1 A2 B2 B3', 'B3'],
  ['A1', 'A1'],
  ['', undefined],
])('too many wait (%s): %s has to go', (waiting, leaves) => {
  expect(lastOfMost(newcomers(waiting))?.name).toBe(leaves)
})
