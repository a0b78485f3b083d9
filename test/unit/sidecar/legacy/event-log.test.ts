// Events kept for who comes back: numbered, bounded, by stream.

import { describe, expect, test } from '@jest/globals'
import { EventLog } from '../../../../sidecar/legacy/event-log.ts'

const texts = (log: EventLog, id: string): readonly string[] | undefined => {
  const place = log.after(id)
  return place && log.since(place.stream, place.sequence).map(({ text }) => text)
}

describe('EventLog', () => {
  test('ids are unique over all streams and name theirs', () => {
    const log = new EventLog()
    const ids = [log.append(0, 'a'), log.append(3, 'b'), log.append(0, 'c')].map(({ id }) => id)
    expect(ids).toEqual(['0-1', '3-2', '0-3'])
  })

  test('who comes back gets what followed, of the same stream alone', () => {
    const log = new EventLog()
    for (const [stream, text] of [
      [1, 'a'],
      [2, 'b'],
      [1, 'c'],
      [2, 'd'],
      [1, 'e'],
    ] as const) {
      log.append(stream, text)
    }
    expect(texts(log, '1-1')).toEqual(['c', 'e'])
    expect(texts(log, '2-2')).toEqual(['d'])
    expect(texts(log, '1-5')).toEqual([])
    log.clear()
  })

  test.each([
    ['nothing', ''],
    ['words', 'last'],
    ['one number', '1'],
    ['a negative number', '1--1'],
    ['a fraction', '1-1.5'],
    ['white space', ' 1-1'],
    ['what was never given out', '1-2'],
    ['a huge number', '1-99999999999999999999'],
  ])('%s is no id of ours', (_name, id) => {
    const log = new EventLog()
    log.append(1, 'a')
    expect(log.after(id)).toBeUndefined()
    log.clear()
  })

  test('beyond 256 events the oldest go', () => {
    const log = new EventLog()
    for (let index = 0; index < 300; index++) log.append(1, `${index}`)
    const kept = texts(log, '1-1')
    expect([kept?.length, kept?.[0], kept?.at(-1)]).toEqual([256, '44', '299'])
    log.clear()
  })

  test('beyond 1 MiB the oldest go, but never the newest', () => {
    const log = new EventLog()
    log.append(1, 'a')
    log.append(1, 'b'.repeat(600_000))
    log.append(1, 'c'.repeat(600_000))
    expect(texts(log, '1-1')?.map((text) => text[0])).toEqual(['c'])
    log.append(1, 'd'.repeat(2_000_000))
    expect(texts(log, '1-1')?.map((text) => text[0])).toEqual(['d'])
    log.clear()
  })
})
