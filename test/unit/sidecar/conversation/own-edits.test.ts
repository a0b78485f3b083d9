// What a link gets of a request that stands otherwise than it came: the edits, where it makes some itself, else the text.

import { expect, test } from '@jest/globals'
import { sendEdited } from '../../../../sidecar/conversation/own-edits.ts'
import type { Link } from '../../../../sidecar/server/link.ts'
import { NO_HEADERS } from '../../../../sidecar/server/link.ts'
import { aRequest } from '../../../support/messages.ts'

const request = aRequest('{"jsonrpc":"2.0","id":"mine","method":"ping"}')
const edits = [{ start: request.id.start, end: request.id.end, text: '7' }]
const TEXT = '{"jsonrpc":"2.0","id":7,"method":"ping"}'

test.each([
  ['a link that makes none', false, true, TEXT],
  ['one that makes some', true, true, 'edits'],
  ['the same, where something is added: each would add at the same place', true, false, TEXT],
])('%s', (_name, makesSome, isPlain, expected) => {
  const got: string[] = []
  const link: Pick<Link, 'ask' | 'send'> = { send: (text) => void got.push(text) }
  if (makesSome) link.ask = (asked) => void got.push(asked.edits === edits ? 'edits' : 'others')
  sendEdited(link, { request, edits }, NO_HEADERS, isPlain)
  expect(got).toEqual([expected])
})
