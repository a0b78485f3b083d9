import { expect, test } from '@jest/globals'
import type { Rights } from '../../../../sidecar/access/rights.ts'
import { filtered } from '../../../../sidecar/conversation/filtered.ts'
import { aMessage, aNotification } from '../../../support/messages.ts'

const RIGHTS: Rights = {
  mayBeAsked: (method) => method === 'roots/list',
  mayRead: (uri) => uri === 'f://a',
  filterOf: (method) =>
    method === 'tools/list'
      ? (answer) =>
          answer.includes('odd') ? { ok: false, error: 'odd' } : { ok: true, value: 'less' }
      : undefined,
  blockedBy: () => undefined,
}

/** What a caller hears of these, in order. */
const heard = (method: string, say: (caller: ReturnType<typeof filtered>) => void) => {
  const words: string[] = []
  const caller = {
    answer: (text: string) => void words.push(text),
    notice: (text: string) => words.push(text) > 0,
    fault: ({ code, message }: { code: string; message: string }) =>
      void words.push(`${code}: ${message}`),
  }
  say(filtered(caller, method, RIGHTS))
  return words
}

const answered = (method: string, result: object) =>
  heard(method, (caller) => {
    const text = JSON.stringify({ jsonrpc: '2.0', id: 1, result })
    const message = aMessage(text)
    if (message.kind === 'response') caller.answer(text, message)
  })

const asking = (method: string) => ({
  resultType: 'input_required',
  inputRequests: { a: { method, params: {} } },
})

test.each([
  ['an answer as it is', 'tools/call', { a: 1 }, ['{"jsonrpc":"2.0","id":1,"result":{"a":1}}']],
  ['less of a list', 'tools/list', { tools: [] }, ['less']],
  ['why a list cannot be read', 'tools/list', { odd: 1 }, ['unusable-answer: odd']],
  [
    'that it may not be asked',
    'tools/call',
    asking('sampling/createMessage'),
    ['denied: the tool policy denies that the server asks for sampling/createMessage'],
  ],
  ['that nobody knows what is asked', 'tools/call', { inputRequests: { a: 1 } }, [/^denied: /]],
  [
    'that requests are no object',
    'tools/call',
    { inputRequests: [{ method: 'roots/list' }] },
    [/^denied: /],
  ],
])('a caller hears %s', (_what, method, result, words) => {
  expect(answered(method, result)).toEqual(
    words.map((word) => (typeof word === 'string' ? word : expect.stringMatching(word))),
  )
})

test('a caller is asked what it may be', () => {
  expect(answered('tools/call', asking('roots/list'))).toEqual([
    expect.stringContaining('roots/list'),
  ])
})

const update = (uri: unknown) =>
  JSON.stringify({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri } })

test.each([
  ['may read', update('f://a'), true],
  ['may not read', update('f://b'), false],
  ['cannot tell', update(1), false],
])('a subscriber hears of what it %s: %s, %s', (_what, text, is) => {
  const own = `own ${text}`
  const words = heard('subscriptions/listen', (caller) => caller.notice(own, aNotification(text)))
  expect(words).toEqual(is ? [own] : [])
})

test('who has no rights by a policy is the caller itself', () => {
  const caller = { answer: () => undefined, notice: () => true, fault: () => undefined }
  expect(filtered(caller, 'tools/list', undefined)).toBe(caller)
})
