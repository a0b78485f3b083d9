// What goes on record, what is refused for its sake, and what is only counted.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import { Chain } from '../../../../shared/audit/chain.ts'
import { Content } from '../../../../sidecar/audit/content/content.ts'
import {
  Recorder,
  type RecorderOptions,
  type Underway,
} from '../../../../sidecar/audit/recorder.ts'
import { Writer } from '../../../../sidecar/audit/writer.ts'
import { Budget } from '../../../../sidecar/bytes/budget.ts'
import { verifiedPrincipal } from '../../../../sidecar/access/principal.ts'
import { fault } from '../../../../sidecar/mcp/faults.ts'
import { aBudget } from '../../../support/budgets.ts'
import { anExchange } from '../../../support/fake-exchange.ts'
import { keptLog } from '../../../support/kept-log.ts'
import { aMessage, aRequest } from '../../../support/messages.ts'
import { permitFor, permitOf } from '../../../support/principals.ts'

const CALL = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"}}'
const identity = { issuer: 'i', client: undefined, scopes: [], groups: [], actors: [] }
const MINUTE_MS = 60_000

const MIB = 1024 * 1024

const aRecorder = (more: Partial<RecorderOptions> = {}, budget = aBudget()) => {
  const clock = { nowMs: 0 }
  const sink = { text: '', isFull: false, writes: 0 }
  const writer = new Writer({
    sink: {
      write: (bytes) => {
        if (sink.isFull) return Promise.reject(new Error('ENOSPC'))
        sink.text += bytes.toString()
        sink.writes++
        return Promise.resolve(bytes.length)
      },
      rotate: () => undefined,
      close: () => Promise.resolve(),
    },
    chain: new Chain({ instance: 'one', server: 'local', prev: '' }),
    lease: budget.lease('records'),
    log: keptLog().log,
    now: () => clock.nowMs,
    wallMs: () => clock.nowMs,
    sleep: nextTurn,
    gatherMs: 0,
  })
  const recorder = new Recorder({
    writer,
    content: new Content({ level: 'metadata', keys: [], paths: [], key: Buffer.alloc(32) }),
    now: () => clock.nowMs,
    onFailure: 'refuse',
    attempts: false,
    unknownBytesPerMinute: 2048,
    ...more,
  })
  const events = async (): Promise<readonly string[]> => {
    for (let turn = 0; turn < 5; turn++) await nextTurn()
    return sink.text
      .split('\n')
      .slice(0, -1)
      .map((line) => String(JSON.parse(line).event))
  }
  return { recorder, clock, sink, writer, events }
}

const aCall = (): Underway => ({
  ...anExchange().exchange,
  principal: { key: 'p' },
  permit: permitOf('p'),
  ask: { kind: 'message', claim: { era: 'unclaimed' }, message: aRequest(CALL), trace: undefined },
})

const stranger = (): Underway => ({
  ...anExchange({ 'user-agent': 'x'.repeat(500) }).exchange,
  principal: undefined,
  permit: undefined,
  ask: undefined,
})

test('where nothing can be written, no call goes on, until something can', async () => {
  const { recorder, clock, sink, writer, events } = aRecorder()
  sink.isFull = true
  expect(recorder.admit(aCall())).toBeUndefined()
  recorder.sessionEnded({ key: 'p' }, 's', 'client')
  await events()
  expect(await recorder.admit(aCall())).toMatchObject({ code: 'audit-unavailable' })
  sink.isFull = false
  clock.nowMs += 1000
  writer.sweep(clock.nowMs)
  expect(await events()).toEqual(['session-end'])
  expect(recorder.admit(aCall())).toBeUndefined()
})

test('by the configuration’s leave calls go on all the same', async () => {
  const { recorder, sink, events } = aRecorder({ onFailure: 'drop' })
  sink.isFull = true
  recorder.sessionEnded({ key: 'p' }, 's', 'client')
  await events()
  expect(recorder.admit(aCall())).toBeUndefined()
})

test('with attempts a call waits until it is on record, and goes nowhere where it cannot be', async () => {
  const { recorder, sink, events } = aRecorder({ attempts: true })
  expect(await recorder.admit(aCall())).toBeUndefined()
  expect(await events()).toEqual(['attempt'])
  sink.isFull = true
  expect(await recorder.admit(aCall())).toMatchObject({ code: 'audit-unavailable' })
})

test('calls of one turn go on together, once one write has put them all on record', async () => {
  const { recorder, sink } = aRecorder({ attempts: true })
  const calls = [1, 2, 3].map(async () => recorder.admit(aCall()))
  expect(sink.text).toBe('')
  expect(await Promise.all(calls)).toEqual([undefined, undefined, undefined])
  expect([sink.writes, sink.text.split('\n').length - 1]).toEqual([1, 3])
})

test('what a client says without a call does not overtake one that waits for its record', async () => {
  const { recorder, sink } = aRecorder({ attempts: true })
  const order: string[] = []
  const note = async (name: string, admitted: unknown): Promise<void> => {
    order.push(`${name} ${(await admitted) === undefined}`)
  }
  const notification = '{"jsonrpc":"2.0","method":"notifications/cancelled"}'
  const claim = { era: 'unclaimed' } as const
  const message = aMessage(notification)
  const ask = { kind: 'message', claim, message, trace: undefined } as const
  const cancelled = { ...aCall(), ask }
  await Promise.all([
    note('call', recorder.admit(aCall())),
    note('notification', recorder.admit(cancelled)),
  ])
  expect(order).toEqual(['call true', 'notification true'])
  sink.isFull = true
  await Promise.all([
    note('call', recorder.admit(aCall())),
    note('notification', recorder.admit(cancelled)),
  ])
  expect(order.slice(2)).toEqual(['call false', 'notification true'])
  expect(recorder.admit(cancelled)).toMatchObject({ code: 'audit-unavailable' })
})

test('where records may be lost attempts go out with others, and nobody waits', async () => {
  const { recorder, sink, events } = aRecorder({ attempts: true, onFailure: 'drop' })
  const calls = [aCall(), aCall()]
  expect(calls.map((call) => recorder.admit(call))).toEqual([undefined, undefined])
  expect([await events(), sink.writes]).toEqual([['attempt', 'attempt'], 1])
})

test('a ticket that the guard gave is ended by the one that records, once on record', async () => {
  const { recorder, events } = aRecorder()
  const call = aCall()
  const ends: unknown[] = []
  if (call.ask?.kind !== 'message') throw new Error('it is a message')
  call.ask.ticket = { timeoutMs: 7, end: (code) => ends.push(code) }
  expect(recorder.admit(call)).toBeUndefined()
  expect(call.ask.ticket.timeoutMs).toBe(7)
  call.ask.ticket.end('request-timeout')
  call.ask.ticket.end('request-timeout')
  expect([ends[0], await events()]).toEqual(['request-timeout', ['call']])
})

test('callers whom nobody knows have one allowance together; beyond it they are counted in a summary', async () => {
  const { recorder, clock, sink, events } = aRecorder()
  for (let count = 0; count < 1000; count++) {
    recorder.refused(stranger(), fault('unauthenticated', 'no token'))
  }
  const written = (await events()).length
  expect(written).toBeLessThan(10)
  expect(sink.text.length).toBeLessThan(2 * 2048)
  clock.nowMs += MINUTE_MS
  recorder.sweep(clock.nowMs)
  expect((await events()).at(-1)).toBe('summary')
  expect(sink.text).toContain(`"unwritten":{"unauthenticated":${1000 - written}},"dropped":0`)
})

test('a verified caller who makes more records than they may is refused; others are not', async () => {
  const { recorder, clock, events } = aRecorder({ callerBytesPerMinute: 65_536 })
  const alice = verifiedPrincipal({ ...identity, subject: 'alice' })
  for (let count = 0; count < 200; count++) {
    recorder.refused({ ...stranger(), principal: alice }, fault('denied', 'no rule'))
  }
  await events()
  const permit = permitOf(alice.key)
  const refused = await recorder.admit({ ...aCall(), principal: alice, permit })
  expect(refused).toMatchObject({ code: 'rate-limited', data: { limit: 'audit' } })
  expect(recorder.admit(aCall())).toBeUndefined()
  clock.nowMs += MINUTE_MS
  expect(recorder.admit({ ...aCall(), principal: alice, permit })).toBeUndefined()
})

test('a caller has one allowance, whatever values their processes have of them', async () => {
  const { recorder, events } = aRecorder({ callerBytesPerMinute: 65_536 })
  const alice = verifiedPrincipal({ ...identity, subject: 'alice' })
  const callOf = (name: string): Underway => {
    const principal = { ...alice, key: `${alice.key} ${name}`, person: alice.key }
    return { ...aCall(), principal, permit: permitFor(principal) }
  }
  for (let count = 0; count < 300; count++) {
    const call = callOf('one')
    await recorder.admit(call)
    if (call.ask?.kind === 'message') call.ask.ticket?.end('request-timeout')
  }
  await events()
  for (const name of ['one', 'other']) {
    expect(await recorder.admit(callOf(name))).toMatchObject({ code: 'rate-limited' })
  }
})

test.each([
  ['token', { ...identity, subject: 'alice' }],
  ['certificate', { ...identity, by: 'certificate' as const, subject: 'spiffe://example.org/a' }],
])('a caller is recorded by what it has shown: a %s', async (by, own) => {
  const { recorder, sink, events } = aRecorder()
  recorder.sessionEnded(verifiedPrincipal(own), 's', 'client')
  expect(await events()).toEqual(['session-end'])
  expect(JSON.parse(sink.text).caller).toMatchObject({ by, subject: own.subject })
})

describe('what a client says of itself, and what it asks for, hold no beginning of a secret', () => {
  const uri = (length: number): string => `${'p/'.repeat(length / 2)} db://u:${'s3'.repeat(40)}@h`
  const token = `Bearer ${'t'.repeat(960)} db://u:${'s3'.repeat(40)}@h`
  const texts: readonly (readonly [string, string])[] = [
    ['cut between its beginning and its end', uri(200)],
    ['cut where what is looked at ends, behind one that is short now', token],
  ]
  const rows = ['user-agent', 'client', 'resource'].flatMap((where) =>
    texts.map(([what, text]) => [where, what, text] as const),
  )

  test.each(rows)('%s: %s', async (where, _what, text) => {
    const { recorder, sink, events } = aRecorder()
    const { exchange } = anExchange(where === 'user-agent' ? { 'user-agent': text } : {})
    const params = {
      uri: where === 'resource' ? text : 'x',
      clientInfo: { name: where === 'client' ? text : 'x', version: '1' },
    }
    const message = aRequest(
      JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'resources/read', params }),
    )
    const ask = { kind: 'message', claim: { era: 'unclaimed' }, message, trace: undefined } as const
    recorder.refused(
      { ...exchange, principal: undefined, permit: undefined, ask },
      fault('unauthenticated', 'no token'),
    )
    expect(await events()).toEqual(['denial'])
    expect(sink.text).not.toContain('s3')
  })

  test('what is not as it was locked', async () => {
    const { recorder, sink, events } = aRecorder()
    recorder.found({ kind: 'tools', name: uri(200), why: uri(200), action: 'hidden' })
    expect(await events()).toEqual(['lock-finding'])
    expect(sink.text).not.toContain('s3')
  })

  test('a long one without any is cut at 256 characters', async () => {
    const { recorder, sink, events } = aRecorder()
    recorder.found({ kind: 'tools', name: 'n'.repeat(3000), why: '', action: 'hidden' })
    await events()
    expect(JSON.parse(sink.text).name).toBe('n'.repeat(256))
  })
})

test.each([
  [
    'in every request',
    { _meta: { 'io.modelcontextprotocol/clientInfo': { name: 'desk', version: '2' } } },
  ],
  ['where a session begins', { clientInfo: { name: 'desk', version: '2' } }],
])('what a client calls itself is on record: %s', async (_where, params) => {
  const { recorder, sink, events } = aRecorder()
  const message = aRequest(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }))
  const ask = { kind: 'message', claim: { era: 'unclaimed' }, message, trace: undefined } as const
  recorder.refused({ ...stranger(), ask }, fault('unauthenticated', 'no token'))
  await events()
  expect(JSON.parse(sink.text).asserted.client).toBe('desk/2')
})

describe('what a server asks a client', () => {
  const asks = (recorder: Recorder, params = '{}', key = 'p') => {
    const text = `{"jsonrpc":"2.0","id":"q","method":"sampling/createMessage","params":${params}}`
    const caller = { key }
    const place = { caller, session: 's', process: 3, context: undefined }
    return recorder.questions.asks(aRequest(text), place)
  }

  /** As many as may be open, or far too many. */
  const openOf = (recorder: Recorder, params?: string, key?: string) => {
    const open = []
    for (let count = 0; count < 2000; count++) {
      const end = asks(recorder, params, key)
      if (!end) break
      open.push(end)
    }
    return open
  }

  test('is put to nobody where it cannot be on record', async () => {
    const { recorder, sink, events } = aRecorder()
    sink.isFull = true
    recorder.sessionEnded({ key: 'p' }, 's', 'client')
    await events()
    expect(asks(recorder)).toBeUndefined()
  })

  test('is put to them all the same by the configuration’s leave', async () => {
    const { recorder, sink, events } = aRecorder({ onFailure: 'drop' })
    sink.isFull = true
    recorder.sessionEnded({ key: 'p' }, 's', 'client')
    await events()
    expect(asks(recorder)).toBeDefined()
  })

  test.each([
    ['denied', 'denied'],
    ['no_client', 'no_client'],
    ['timeout', 'timeout'],
    ['draining', 'cancelled'],
  ])('ends without an answer as %s: %s', async (errorType, is) => {
    const { recorder, sink, events } = aRecorder()
    asks(recorder)?.end(errorType)
    expect(await events()).toEqual(['server-request'])
    expect(JSON.parse(sink.text).outcome).toEqual({ is })
  })

  test('beyond its allowance goes nowhere, and is counted', async () => {
    const content = new Content({ level: 'request', keys: [], paths: [], key: Buffer.alloc(32) })
    const { recorder, clock, sink, events } = aRecorder({ content })
    const params = JSON.stringify({ messages: Array.from({ length: 1000 }, (_none, at) => at) })
    let put = 0
    for (let count = 0; count < 3000; count++) {
      const end = asks(recorder, params)
      if (end) put++
      end?.end('no_client')
      if (count % 100 === 0) await events()
    }
    expect(put).toBeGreaterThan(500)
    expect(put).toBeLessThan(1500)
    clock.nowMs += MINUTE_MS
    recorder.sweep(clock.nowMs)
    await events()
    expect(sink.text).toContain(`"unwritten":{"server-request":${3000 - put}},"dropped":0`)
    expect(asks(recorder, params)).toBeDefined()
  })

  test('is one caller’s, whatever values their processes have of them', () => {
    const { recorder } = aRecorder({}, new Budget(1024 * MIB))
    expect(openOf(recorder)).toHaveLength(1024)
    const caller = { key: 'p and values', person: 'p' }
    const place = { caller, session: 's', process: 4, context: undefined }
    const asked = aRequest('{"jsonrpc":"2.0","id":"q","method":"roots/list"}')
    expect(recorder.questions.asks(asked, place)).toBeUndefined()
    const other = { ...place, caller: { key: 'other and values', person: 'other' } }
    expect(recorder.questions.asks(asked, other)).toBeDefined()
  })

  test('has its allowance taken when it is put, and has back at its end what the record leaves', () => {
    const { recorder } = aRecorder({}, new Budget(1024 * MIB))
    const open = openOf(recorder)
    expect(open).toHaveLength(1024)
    open[0]?.end('timeout')
    expect(asks(recorder)).toBeUndefined()
    open[1]?.end('timeout')
    expect(asks(recorder)).toBeDefined()
  })

  test.each(['refuse', 'drop'] as const)(
    'leaves room to others while nobody answers, however many are put (%s)',
    (onFailure) => {
      const content = new Content({ level: 'request', keys: [], paths: [], key: Buffer.alloc(32) })
      const { recorder, writer } = aRecorder({ content, onFailure }, new Budget(32 * MIB))
      const params = JSON.stringify({ message: Array.from({ length: 2000 }, (_none, at) => at) })
      const own = openOf(recorder, params)
      expect(own.length).toBeGreaterThan(8)
      expect(own.length).toBeLessThan(32)
      const others = Array.from({ length: 8 }, (_none, at) =>
        openOf(recorder, params, `caller ${at}`),
      )
      expect(others[0]).toHaveLength(own.length)
      expect(others.at(-1)).toHaveLength(0)
      expect(writer.reserve(MIB)).toBe(true)
      expect(recorder.admit(aCall())).toBeUndefined()
      for (const end of [...own, ...others.flat()]) end.end('timeout')
      expect(asks(recorder, params)).toBeDefined()
      // Each time the first that found no room.
      expect([recorder.unwrittenCount, writer.counts.dropped]).toEqual([9, 0])
    },
  )

  test('that finds no room is put all the same by the configuration’s leave, and counted as lost', async () => {
    const { recorder, writer, sink, events } = aRecorder(
      { onFailure: 'drop' },
      new Budget(64 * MIB),
    )
    while (writer.reserve(1024));
    asks(recorder)?.end('timeout')
    expect(writer.counts).toEqual({ written: 0, dropped: 1 })
    expect(await events()).toEqual([])
    expect(sink.text).toBe('')
  })
})
