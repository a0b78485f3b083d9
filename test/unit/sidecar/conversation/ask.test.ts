// What is answered by what happens from then on: it ends when its caller's right does.

import { expect, test } from '@jest/globals'
import { isListening, type Ask } from '../../../../sidecar/conversation/ask.ts'
import { anAsked } from '../../../support/messages.ts'

const message = (method: string): Ask => ({
  kind: 'message',
  claim: { era: 'unclaimed' },
  ...anAsked(`{"jsonrpc":"2.0","id":1,"method":"${method}"}`),
})

test.each<[string, Ask, boolean]>([
  ['a GET', { kind: 'listen' }, true],
  ['a subscription', message('subscriptions/listen'), true],
  ['a call', message('tools/call'), false],
  ['the end of a session', { kind: 'delete' }, false],
  ['a batch', { kind: 'batch', items: [] }, false],
])('%s: %s', (_name, ask, expected) => {
  expect(isListening(ask)).toBe(expected)
})
