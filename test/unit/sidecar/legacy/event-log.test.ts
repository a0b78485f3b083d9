// Events kept for who comes back: numbered, bounded, by stream.

import { Budget } from '../../../../sidecar/bytes/budget.ts'
import { aBudget } from '../../../support/budgets.ts'
import { describe, expect, test } from '@jest/globals'
import { EventLog, Logs } from '../../../../sidecar/legacy/event-log.ts'

const LOST = /^\{"jsonrpc":"2.0","method":"notifications\/message",.*have had to make room/

const texts = (log: EventLog, id: string): readonly string[] | undefined => {
  const place = log.after(id)
  const events = place && log.since(place.stream, place.sequence)
  return events?.map(({ text }) => (LOST.test(text) ? 'lost' : text))
}

describe('EventLog', () => {
  test('ids are unique over all streams and name theirs', () => {
    const log = new EventLog(new Logs(aBudget()))
    const ids = [log.append(0, 'a'), log.append(3, 'b'), log.append(0, 'c')].map(({ id }) => id)
    expect(ids).toEqual(['0-1', '3-2', '0-3'])
  })

  test('who comes back gets what followed, of the same stream alone', () => {
    const log = new EventLog(new Logs(aBudget()))
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
    log.close()
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
    const log = new EventLog(new Logs(aBudget()))
    log.append(1, 'a')
    expect(log.after(id)).toBeUndefined()
    log.close()
  })

  test('beyond 256 events the oldest go', () => {
    const log = new EventLog(new Logs(aBudget()))
    for (let index = 0; index < 300; index++) log.append(1, `${index}`)
    const kept = texts(log, '1-1')
    expect([kept?.length, kept?.[0], kept?.[1], kept?.at(-1)]).toEqual([257, 'lost', '44', '299'])
    log.close()
  })

  test('beyond 1 MiB the oldest go, but never the newest', () => {
    const log = new EventLog(new Logs(aBudget()))
    log.append(1, 'a')
    log.append(1, 'b'.repeat(600_000))
    log.append(1, 'c'.repeat(600_000))
    expect(texts(log, '1-1')?.map((text) => text[0])).toEqual(['l', 'c'])
    log.append(1, 'd'.repeat(2_000_000))
    expect(texts(log, '1-1')?.map((text) => text[0])).toEqual(['l', 'd'])
    log.close()
  })

  test('who comes back is told of what is lost, where it was, once and of the same stream alone', () => {
    const log = new EventLog(new Logs(aBudget()))
    log.append(1, 'a')
    log.append(1, 'an answer', '7')
    log.append(2, 'b')
    for (let index = 0; index < 253; index++) log.append(1, 'c')
    log.append(2, 'd')
    expect(texts(log, '2-0')).toEqual(['b', 'd'])
    expect(texts(log, '1-0')?.slice(0, 3)).toEqual(['lost', 'an answer', 'c'])
    // Of that stream nothing since.
    expect(texts(log, '1-1')?.slice(0, 2)).toEqual(['an answer', 'c'])
    for (let index = 0; index < 10; index++) log.append(3, 'e')
    expect(texts(log, '1-1')?.slice(0, 3)).toEqual(['an answer', 'lost', 'c'])
    const [, lost] = log.since(1, 1)
    expect(texts(log, lost?.id ?? '')?.[0]).toBe('c')
    expect(texts(log, '2-0')).toEqual(['lost', 'd'])
    log.close()
  })

  test('an answer that is lost last does not hide what is lost behind it', () => {
    const log = new EventLog(new Logs(aBudget()))
    log.append(1, 'a')
    log.append(1, '{"id":7}', '7')
    log.append(1, 'b')
    for (let index = 0; index < 254; index++) log.append(2, '{"id":8}', '8')
    expect(texts(log, '1-0')).toEqual(['lost', '{"id":7}', 'b'])
    log.append(2, '{"id":8}', '8')
    expect(texts(log, '1-2')).toEqual(['lost'])
    log.append(2, '{"id":8}', '8')
    expect(texts(log, '1-2')).toEqual(['lost'])
    expect(texts(log, '1-3')).toEqual([])
    log.close()
  })

  test('a stream of which nothing but empty events are lost has lost nothing', () => {
    const log = new EventLog(new Logs(aBudget()))
    log.append(1, '')
    for (let index = 0; index < 256; index++) log.append(2, 'a')
    expect(texts(log, '1-0')).toEqual([])
    log.close()
  })

  test('of many streams the last are known to have lost something', () => {
    const log = new EventLog(new Logs(aBudget()))
    for (let stream = 1; stream <= 400; stream++) log.append(stream, 'a')
    const lost = Array.from({ length: 400 }, (_, index) => texts(log, `${index + 1}-0`)?.[0])
    expect(lost.filter((text) => text === 'lost')).toHaveLength(64)
    expect([lost[143], lost[144]]).toEqual(['lost', 'a'])
    log.close()
  })
})

describe('answers', () => {
  const ANSWER = `{"jsonrpc":"2.0","id":"\\u0061","result":"${'r'.repeat(500)}"}`
  const GONE =
    /^\{"jsonrpc":"2.0","id":"\\u0061","error":\{"code":-32000,.*had to make room.*"code":"no-memory"/

  test('are kept while anything else can go', () => {
    const log = new EventLog(new Logs(aBudget()))
    log.append(1, '')
    log.append(1, ANSWER, '"\\u0061"')
    for (let index = 0; index < 300; index++) log.append(0, `${index}`)
    expect(texts(log, '1-1')).toEqual([ANSWER])
    expect(texts(log, '0-3')?.[0]).toBe('lost')
    expect(texts(log, '0-3')).toHaveLength(1 + 255)
    log.close()
  })

  test('that go all the same leave an error for their request, in their place', () => {
    const log = new EventLog(new Logs(aBudget()))
    log.append(1, '')
    log.append(1, ANSWER, '"\\u0061"')
    for (let index = 0; index < 10; index++) log.append(2, 'x'.repeat(120_000), `${index}`)
    expect(texts(log, '1-1')).toEqual([expect.stringMatching(GONE)])
    expect(texts(log, '2-2')?.map((text) => text.length)).toContain(120_000)
    log.close()
  })

  test('for which there is no room at all leave the error at once', () => {
    const budget = new Budget(4 * 1024 * 1024)
    const log = new EventLog(new Logs(budget))
    log.append(1, '')
    const told = log.append(1, ANSWER.padEnd(2 * 1024 * 1024), '"\\u0061"')
    expect(told.text).toHaveLength(2 * 1024 * 1024)
    expect(texts(log, '1-1')).toEqual([expect.stringMatching(GONE)])
    log.close()
  })

  test('and nothing but answers are no more than 256 either', () => {
    const log = new EventLog(new Logs(aBudget()))
    for (let index = 0; index < 600; index++) log.append(1, `{"id":${index}}`, `${index}`)
    expect(texts(log, '1-1')).toHaveLength(1 + 256)
    expect(texts(log, '1-1')?.at(-1)).toBe('{"id":599}')
    log.close()
  })
})

describe('all logs together', () => {
  const KIB = 1024
  /** Kept events have a quarter of it: 1 MiB. */
  const setUp = (count: number) => {
    const budget = new Budget(4 * KIB * KIB)
    const logs = new Logs(budget)
    return { budget, logs: Array.from({ length: count }, () => new EventLog(logs)) }
  }

  test('make room by what the longest keeps', () => {
    const { budget, logs } = setUp(2)
    const [long, short] = logs
    for (let index = 0; index < 200; index++) long?.append(1, 'x'.repeat(5 * KIB))
    for (let index = 0; index < 10; index++) short?.append(1, 'y'.repeat(5 * KIB))
    expect(short && texts(short, '1-1')).toHaveLength(9)
    expect(long && (texts(long, '1-1')?.length ?? 0)).toBeLessThan(195)
    expect(budget.of('events')).toBeLessThanOrEqual(KIB * KIB)
  })

  test('of many that are equally long none is left out', () => {
    const { budget, logs } = setUp(1000)
    for (let round = 0; round < 8; round++) for (const log of logs) log.append(1, 'x'.repeat(700))
    expect(budget.of('events')).toBeLessThanOrEqual(KIB * KIB)
    expect(logs.filter((log) => texts(log, '1-7')?.length !== 1)).toEqual([])
  })

  test('an event for which there is no room at all is numbered and not kept', () => {
    const { budget, logs } = setUp(1)
    const [log] = logs
    expect(log?.append(1, 'x'.repeat(2 * KIB * KIB)).id).toBe('1-1')
    expect(budget.of('events')).toBe(0)
    expect(log && texts(log, '1-1')).toEqual([])
  })

  test('keep nothing of a session that has ended', () => {
    const { budget, logs } = setUp(3)
    for (const log of logs) log.append(1, 'x'.repeat(700))
    for (const log of logs) log.close()
    expect(budget.of('events')).toBe(0)
    expect(logs[0]?.append(1, 'late').id).toBe('1-2')
    expect(budget.of('events')).toBe(0)
  })
})
