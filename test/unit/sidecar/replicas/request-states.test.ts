// Which ids a body may have in its request state.

import { expect, test } from '@jest/globals'
import { idsIn } from '../../../../sidecar/replicas/request-states.ts'

const FOUR = 'a'.repeat(48)
const SIX = 'b'.repeat(64)

test.each<[string, string, readonly string[]]>([
  ['a state of ours', `{"params":{"requestState":"${FOUR}.1.x"}}`, [FOUR]],
  ['one of IPv6', `{"params":{"requestState":"${SIX}.1.x"}}`, [SIX]],
  ['white space', `{ "requestState" :\n\t"${FOUR}.1.x" }`, [FOUR]],
  [
    'the word in arguments before it',
    `{"a":"\\"requestState\\"","requestState":"${FOUR}."}`,
    [FOUR],
  ],
  ['two of them', `{"a":{"requestState":"${SIX}."},"requestState":"${FOUR}."}`, [SIX, FOUR]],
  ['a state of a server’s', '{"requestState":"whatever it likes"}', []],
  ['an id that says nothing', `{"requestState":"${'c'.repeat(32)}.1.x"}`, []],
  ['an id without more', `{"requestState":"${FOUR}"}`, []],
  ['a state that is no text', '{"requestState":5}', []],
  ['the name at the end', '"requestState"', []],
  ['much white space', `"requestState"${' '.repeat(1000)}:"${FOUR}."`, []],
  ['nothing', '', []],
])('%s', (_name, body, ids) => {
  expect(idsIn(Buffer.from(body))).toEqual(ids)
})

test('of very many places only the first are looked at', () => {
  const body = `${'"requestState",'.repeat(100_000)}"requestState":"${FOUR}."`
  expect(idsIn(Buffer.from(body))).toEqual([])
})
