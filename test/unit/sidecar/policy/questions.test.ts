import { expect, test } from '@jest/globals'
import type { ArgumentsOf } from '../../../../shared/policy/condition.ts'
import { asksOf } from '../../../../sidecar/policy/questions.ts'
import { aMessage } from '../../../support/messages.ts'

const argumentsIn = (argumentsOf: ArgumentsOf): readonly string[] => {
  const read = argumentsOf()
  if (!read.ok) throw new Error(read.error)
  return read.value.values === 0 ? [] : [JSON.stringify(Object.fromEntries(read.value.value))]
}

const asked = (method: string, params: string) => {
  const message = aMessage(`{"jsonrpc":"2.0","id":1,"method":"${method}","params":${params}}`)
  if (message.kind === 'response') throw new Error('a response asks for nothing')
  return asksOf(message)?.map(({ target: { kind, name, isTemplate }, argumentsOf }) =>
    [kind, name, ...(isTemplate === true ? ['template'] : []), ...argumentsIn(argumentsOf)].join(
      ' ',
    ),
  )
}

test.each([
  ['tools/call', '{"name":"a","arguments":{"b":"é"}}', ['tools a {"b":"é"}']],
  ['tools/call', '{"name":"\\u0061"}', ['tools a']],
  ['tools/call', '{"name":""}', ['tools ']],
  ['prompts/get', '{"name":"a"}', ['prompts a']],
  ['resources/read', '{"uri":"file:///a"}', ['resources file:///a']],
  ['resources/read', '{"uri":"file:///{a}"}', ['resources file:///{a}']],
  ['resources/subscribe', '{"uri":"file:///a"}', ['resources file:///a']],
  ['completion/complete', '{"ref":{"type":"ref/prompt","name":"a"}}', ['prompts a']],
  [
    'completion/complete',
    '{"ref":{"type":"ref/resource","uri":"f://{a}"}}',
    ['resources f://* template'],
  ],
  ['completion/complete', '{"ref":{"type":"ref/resource","uri":"f://a"}}', ['resources f://a']],
  ['subscriptions/listen', '{}', ['methods subscriptions/listen']],
  [
    'subscriptions/listen',
    '{"notifications":{"toolsListChanged":true}}',
    ['methods subscriptions/listen'],
  ],
  [
    'subscriptions/listen',
    '{"notifications":{"resourceSubscriptions":["f://a","f://b"]}}',
    ['methods subscriptions/listen', 'resources f://a', 'resources f://b'],
  ],
  ['tasks/get', '{"taskId":"a"}', ['methods tasks/get']],
  ['a/b', '{}', ['methods a/b']],
])('%s %s asks for %j', (method, params, asks) => {
  expect(asked(method, params)).toEqual(asks)
})

test.each([
  ['tools/call', '{}'],
  ['tools/call', '{"name":["a"]}'],
  ['tools/call', '{"name":"a\\ud800"}'],
  ['prompts/get', '{"name":1}'],
  ['resources/read', '{"uri":["file:///a"]}'],
  ['completion/complete', '{}'],
  ['completion/complete', '{"ref":{"type":"ref/tool","name":"a"}}'],
  ['completion/complete', '{"ref":{"type":"ref/prompt","name":"a","Name":"b"}}'],
  ['completion/complete', '{"ref":{"type":"ref/prompt","name":1}}'],
  ['subscriptions/listen', '{"notifications":{"ResourceSubscriptions":["f://a"]}}'],
  ['subscriptions/listen', '{"notifications":{"resourceSubscriptions":[1]}}'],
  ['subscriptions/listen', '{"notifications":{"resourceSubscriptions":"f://a"}}'],
  ['subscriptions/listen', '{"notifications":["f://a"]}'],
])('%s %s asks for something that nobody can tell', (method, params) => {
  expect(asked(method, params)).toBeUndefined()
})
