// Which of a session's streams hears what, what it has been asked, and what it leaves behind.

import { aBudget } from '../../../support/budgets.ts'
import { Logs } from '../../../../sidecar/legacy/event-log.ts'
import { beforeEach, describe, expect, test } from '@jest/globals'
import type { Caller } from '../../../../sidecar/conversation/call.ts'
import { Clock } from '../../../../sidecar/conversation/clock.ts'
import { Session } from '../../../../sidecar/legacy/session.ts'
import { fault } from '../../../../sidecar/mcp/faults.ts'
import { revisionOf } from '../../../../sidecar/mcp/revision.ts'
import { aMessage, aNotification } from '../../../support/messages.ts'
import { aReply, type FakeReply } from '../../../support/fake-reply.ts'

const RESULT = aMessage('{"jsonrpc":"2.0","id":1,"result":{}}')
const PROGRESS = aNotification('{"jsonrpc":"2.0","method":"notifications/progress"}')
const ENDED = fault('session-unknown', 'over')

let session: Session
let lastSent = 0
let nowMs: number
let logs: Logs

beforeEach(() => {
  const revision = revisionOf('2025-06-18')
  if (!revision) throw new Error('the revision is in the table')
  nowMs = 5
  logs = new Logs(aBudget())
  session = new Session({
    id: 's',
    caller: { key: 'p' },
    revision,
    maxConcurrentCalls: 300,
    clientTimeoutMs: 10_000,
    now: () => nowMs,
    logs,
  })
})

/** A call under way, with its client's end. */
const begin = (idText = '1') => {
  const client = aReply(0, logs.budget)
  const got: { caller?: Caller } = {}
  const sent = ++lastSent
  const clock = new Clock(1000, nowMs)
  session.begin(session.open(client.reply), {
    idText,
    cost: () => 1,
    timeoutMs: 1000,
    setting: 'request-timeout',
    ticket: undefined,
    send: (caller) => {
      got.caller = caller
      return {
        id: sent,
        idText,
        tokenText: undefined,
        method: 'm',
        caller,
        timeoutMs: 0,
        sentMs: 0,
        clock,
      }
    },
  })
  const [call, found] = [got.caller, session.find(idText)]
  if (!call || !found) throw new Error('it is its turn')
  return { client, call, found, clock }
}

const answer = (call: ReturnType<typeof begin>['call'], text = '{"r":1}'): void => {
  if (RESULT.kind === 'response') call.answer(text, RESULT)
}

const events = async ({ body }: FakeReply): Promise<string[]> =>
  [...(await body()).matchAll(/data: (.+)/g)].map(([, data]) => data ?? '')

describe('who hears a message', () => {
  test('the newest call whose stream is open', async () => {
    const [older, newer] = [begin('1'), begin('2')]
    session.tell('{"n":1}')
    expect([await events(older.client), await events(newer.client)]).toEqual([[], ['{"n":1}']])
  })

  test('the call that is named', async () => {
    const [older, newer] = [begin('1'), begin('2')]
    session.tell('{"n":1}', older.found)
    expect([await events(older.client), await events(newer.client)]).toEqual([['{"n":1}'], []])
  })

  test('who listens, where no call is under way', async () => {
    const listening = aReply()
    session.listen(listening.reply, undefined)
    session.tell('{"n":1}')
    expect(await events(listening)).toEqual(['{"n":1}'])
  })

  test('who listens before a call, where it is about the server', async () => {
    const listening = aReply()
    session.listen(listening.reply, undefined)
    const { client } = begin()
    session.announce('{"changed":1}')
    expect([await events(listening), await events(client)]).toEqual([['{"changed":1}'], []])
  })

  test('who listens later, where nobody does now', async () => {
    session.tell('{"n":1}')
    const listening = aReply()
    session.listen(listening.reply, undefined)
    expect(await events(listening)).toEqual(['{"n":1}'])
  })

  test('the second who listens; the first is let go', async () => {
    const [first, second] = [aReply(), aReply()]
    session.listen(first.reply, undefined)
    session.listen(second.reply, undefined)
    session.announce('{"n":1}')
    expect([await events(first), await events(second)]).toEqual([[], ['{"n":1}']])
    expect(first.reply.state).toBe('done')
  })
})

describe('who comes back', () => {
  test('for the rest of a call', async () => {
    const { client, call } = begin()
    call.notice('{"n":1}', PROGRESS)
    client.reply.cut()
    answer(call)
    const again = aReply()
    expect(session.listen(again.reply, '1-1')).toBe(true)
    expect(await events(again)).toEqual(['{"r":1}'])
    expect(again.reply.state).toBe('done')
  })

  test('for an answer, after 300 messages that nobody heard', async () => {
    const { client, call } = begin()
    call.notice('{"n":1}', PROGRESS)
    client.reply.cut()
    answer(call)
    for (const count of Array(300).keys()) session.tell(`{"later":${count}}`)
    const again = aReply()
    expect(session.listen(again.reply, '1-1')).toBe(true)
    expect(await events(again)).toEqual(['{"r":1}'])
  })

  test.each([['2-1'], ['x'], ['0-5'], ['99-1'], ['']])(
    'with the id %j, which is none of ours',
    (id) => {
      begin().call.notice('{"n":1}', PROGRESS)
      expect(session.listen(aReply().reply, id)).toBe(false)
    },
  )
})

describe('calls', () => {
  test('are found by their id in any spelling, the newest first', () => {
    const [first, second] = [begin('1'), begin('1.0')]
    expect(session.find('1')).toBe(second.found)
    expect(session.callOf(first.found.call)).toBe(first.found)
    answer(second.call)
    expect(session.find('1e0')).toBe(first.found)
    expect(session.find('"1"')).toBeUndefined()
    expect(session.callOf(second.found.call)).toBeUndefined()
  })

  test('are in flight until they are answered or have failed', () => {
    const [first, second] = [begin('1'), begin('2')]
    expect(session.inFlight).toBe(2)
    answer(first.call)
    second.call.fault(ENDED)
    expect(session.inFlight).toBe(0)
  })
})

describe("the server's requests", () => {
  test.each([
    ['as it was', '1', '1'],
    ['in another spelling', '1.0', '1'],
    ['escaped otherwise', '"a"', '"\\u0061"'],
    ['above 2^53', '9007199254740993', '9007199254740993'],
  ])(
    'an answer with the id %s goes back under the exact one, once',
    async (_name, asked, answered) => {
      const { client } = begin()
      expect(session.ask(asked, '{"q":1}')).toEqual({ isPut: true })
      expect(await events(client)).toEqual(['{"q":1}'])
      expect(session.answered(answered)).toBe(asked)
      expect(session.answered(answered)).toBeUndefined()
    },
  )

  test('that it takes back need no answer', () => {
    session.ask('1.0', '{}')
    expect([session.takenBack('2'), session.takenBack('1'), session.takenBack('1')]).toEqual([
      false,
      true,
      false,
    ])
    expect(session.answered('1')).toBeUndefined()
  })

  test('that were never put have no answer', () => {
    session.ask('1', '{}')
    expect(session.answered('2')).toBeUndefined()
    expect(session.answered('"1"')).toBeUndefined()
  })

  test('that the client has heard are at most 64 at a time', () => {
    begin()
    const answers = [...Array(65).keys()].map((id) => session.ask(`${id}`, '{}'))
    expect(answers.map(({ isPut }) => isPut)).toEqual([...Array<boolean>(64).fill(true), false])
  })

  test('that nobody has heard make room, the oldest first', () => {
    for (const id of Array(32).keys()) session.ask(`"ping ${id}"`, '{}')
    const { client } = begin()
    for (const id of Array(32).keys()) session.ask(`"heard ${id}"`, '{}')
    expect(session.ask('"form"', '{}')).toEqual({ isPut: true, forgotten: '"ping 0"' })
    expect(session.ask('"form 2"', '{}')).toEqual({ isPut: true, forgotten: '"ping 1"' })
    expect([session.answered('"ping 0"'), session.answered('"heard 0"')]).toEqual([
      undefined,
      '"heard 0"',
    ])
    client.reply.cut()
  })
})

describe('while the server waits for the client', () => {
  const overAt = (clock: Clock, atMs: number): boolean => clock.isOver(atMs)

  test('the clocks of its calls stand, and go on when it has answered', () => {
    const [first, second] = [begin('1'), begin('2')]
    session.ask('7', '{}')
    expect([overAt(first.clock, 9999), overAt(second.clock, 9999)]).toEqual([false, false])
    nowMs = 5005
    expect(session.answered('7')).toBe('7')
    expect([overAt(first.clock, 6004), overAt(second.clock, 6005)]).toEqual([false, true])
  })

  test('the clock of the call that is known to wait stands alone', () => {
    const [first, second] = [begin('1'), begin('2')]
    session.ask('7', '{}', first.found)
    expect([overAt(first.clock, 9999), overAt(second.clock, 9999)]).toEqual([false, true])
  })

  test.each([
    ['it is taken back', () => session.takenBack('7')],
    ['another has the same id', () => session.ask('7.0', '{}', undefined, false)],
    ['the client has gone', () => session.unanswered(5)],
  ])('the clock goes on when %s', async (name, happens) => {
    const { client, clock } = begin()
    session.ask('7', '{}')
    if (name === 'the client has gone') await client.hangUp()
    happens()
    expect([overAt(clock, 1004), overAt(clock, 1005)]).toEqual([false, true])
  })

  test('what takes no time stops no clock', () => {
    const { clock } = begin()
    session.ask('7', '{}', undefined, false)
    expect(overAt(clock, 1005)).toBe(true)
  })

  test('it waits no longer than client-timeout', () => {
    const { clock } = begin()
    session.ask('7.0', '{}')
    expect([session.unanswered(10_004), session.unanswered(10_005)]).toEqual([[], ['7.0']])
    expect([session.answered('7'), session.unanswered(99_999)]).toEqual([undefined, []])
    expect(overAt(clock, 1005)).toBe(true)
  })

  test('a client that takes JSON alone and does not listen is not asked', () => {
    const client = aReply(0, logs.budget)
    client.reply.form = 'json'
    session.begin(session.open(client.reply), {
      idText: '1',
      cost: () => 1,
      timeoutMs: 1000,
      setting: 'request-timeout',
      ticket: undefined,
      send: () => undefined,
    })
    expect(session.ask('7', '{}')).toEqual({ isPut: false })
    session.listen(aReply().reply, undefined)
    expect(session.ask('7', '{}')).toEqual({ isPut: true })
  })
})

describe('the end', () => {
  test('tells every call, ends every stream, and leaves what the server must hear', async () => {
    const { client, found } = begin('"id"')
    const listening = aReply()
    session.listen(listening.reply, undefined)
    session.ask('7.0', '{}', found)
    const left = session.end(ENDED)
    expect(await client.body()).toContain('"id":"id","error":{"code":-32001,"message":"over"')
    expect(listening.reply.state).toBe('done')
    expect(left.asked).toEqual(['7.0'])
    expect(session.inFlight).toBe(0)
  })
})

test('many streams: those that are complete are forgotten', async () => {
  for (let index = 0; index < 200; index++) {
    const { call } = begin(`${index}`)
    call.notice('{}', PROGRESS)
    answer(call)
  }
  const last = aReply()
  expect(session.listen(last.reply, '200-399')).toBe(true)
  expect(await events(last)).toEqual(['{"r":1}'])
})

test('an answer for which there is no room is a fault of its call, by its id', async () => {
  const { client, call } = begin('"a"')
  const everything = logs.budget.lease('answers')
  everything.keep(logs.budget.bytes)
  answer(call, 'x'.repeat(1_000_000))
  expect(await client.received()).toMatch(/^HTTP\/1.1 503 .*"id":"a".*"code":"no-memory"/s)
  expect(session.inFlight).toBe(0)
})
