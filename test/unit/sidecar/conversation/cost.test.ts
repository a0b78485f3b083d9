// What a request counts for while it waits: its text alone would be too little by far.

import { expect, test } from '@jest/globals'
import { Budget } from '../../../../sidecar/bytes/budget.ts'
import { costOf, keepPlace } from '../../../../sidecar/conversation/cost.ts'
import type { Request } from '../../../../sidecar/mcp/message.ts'
import { aMessage } from '../../../support/messages.ts'

const KIB = 1024

const call = (params: string): Request => {
  const message = aMessage(`{"jsonrpc":"2.0","id":1,"method":"x","params":${params}}`)
  if (message.kind !== 'request') throw new Error('it is a request')
  return message
}

const members = (count: number): string =>
  `{${Array.from({ length: count }, (_, index) => `"${index}":0`).join()}}`

test.each<[string, params: string, members: number]>([
  ['a short one', '{}', 4],
  ['a long one', `{"a":"${'x'.repeat(60 * KIB)}"}`, 5],
  ['one of many members', members(1000), 1004],
  ['one of many in _meta', `{"_meta":${members(1000)}}`, 1005],
])('%s: its text, and its members', (_name, params, count) => {
  const request = call(params)
  expect(costOf(request)).toBe(request.text.length + count * 96)
})

test('a place is kept while there are some; what is large has one as a body', () => {
  const budget = new Budget(6 * KIB)
  const keep = (params: string): boolean => keepPlace(budget.lease('calls'), call(params))
  expect([keep('{}'), keep('{}'), keep(`{"a":"${'x'.repeat(200 * KIB)}"}`)]).toEqual([
    true,
    false,
    true,
  ])
})
