// What the soak run takes for right, and each way in which a reply can be wrong.

import { describe, expect, test } from '@jest/globals'
import { judge, type Expected } from '../../soak/tally.ts'
import type { Exchange, Json } from '../../soak/wire.ts'

const EXPECTED: Expected = { id: 'call-7', words: 'seven', progress: 2 }

const answer = (id: unknown, text: string): Json => ({
  jsonrpc: '2.0',
  id,
  result: { content: [{ type: 'text', text }] },
})
const failure = (id: unknown): Json => ({ jsonrpc: '2.0', id, error: { code: 1, message: 'no' } })
const progress = (count: number, progressToken = 'call-7'): Json => ({
  jsonrpc: '2.0',
  method: 'notifications/progress',
  params: { progressToken, progress: count },
})
const of = (...messages: readonly Json[]): Exchange => ({
  status: 200,
  session: undefined,
  messages,
  broken: undefined,
})
const [first, second] = [progress(1), progress(2)]

test('its own words, once, behind all of its progress', () => {
  expect(judge(of(first, second, answer('call-7', 'seven')), EXPECTED).kind).toBe('answered')
})

test('an error is right where its server may die, and only there', () => {
  expect(judge(of(failure('call-7')), { ...EXPECTED, mayFail: true }).kind).toBe('failed')
  expect(judge(of(failure('call-7')), EXPECTED).words).toMatch(/^call-7 failed: /)
})

describe('wrong:', () => {
  const rows: readonly (readonly [string, Exchange, RegExp])[] = [
    [
      'no reply',
      { ...of(), broken: 'no end within 9 ms' },
      /^call-7 was lost: no end within 9 ms$/,
    ],
    ['progress alone', of(first, second), /HTTP 200 without an answer/],
    [
      'the answer twice',
      of(first, second, answer('call-7', 'seven'), answer('call-7', 'seven')),
      /2 answers to one call/,
    ],
    ['another’s id', of(first, second, answer('call-8', 'seven')), /bears the id "call-8"/],
    ['an error without an id', of(failure(null)), /bears the id null/],
    ['another’s words', of(first, second, answer('call-7', 'eight')), /was told "eight"/],
    ['progress lost', of(second, answer('call-7', 'seven')), /of 2 progress notifications 1 came/],
    [
      'progress twice',
      of(first, first, second, answer('call-7', 'seven')),
      /of 2 progress notifications 3 came/,
    ],
    ['progress in another order', of(second, first, answer('call-7', 'seven')), /in another order/],
    [
      'another’s progress',
      of(first, progress(2, 'call-8'), answer('call-7', 'seven')),
      /heard another's progress: "call-8"/,
    ],
  ]
  test.each(rows)('%s', (_name, exchange, words) => {
    const verdict = judge(exchange, { ...EXPECTED, mayFail: exchange.messages.length === 1 })
    expect(verdict.kind).toBe('wrong')
    expect(verdict.words).toMatch(words)
  })
})
