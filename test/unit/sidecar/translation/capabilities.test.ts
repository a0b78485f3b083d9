// What a legacy server is told of what a modern client can be asked for, and what a question needs of it.

import { describe, expect, test } from '@jest/globals'
import {
  capabilitiesOf,
  DeclaredBefore,
  missingFor,
} from '../../../../sidecar/translation/capabilities.ts'
import { aRequest } from '../../../support/messages.ts'

const requestWith = (meta: string) =>
  aRequest(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{${meta}}}}`)
const declares = (capabilities: string) =>
  requestWith(`"io.modelcontextprotocol/clientCapabilities":${capabilities}`)
const declaring = (capabilities: string) => capabilitiesOf(declares(capabilities))

describe('what a client declares', () => {
  test.each([
    ['nothing', '{}', {}],
    ['what legacy servers know', '{"elicitation":{}}', { elicitation: {} }],
    [
      'its parts, without what stands in them',
      '{"elicitation":{"form":{"x":1},"url":{},"other":{}},"sampling":{"tools":{},"context":true}}',
      { elicitation: { form: {}, url: {} }, sampling: { tools: {} } },
    ],
    [
      'roots that nobody will tell it have changed',
      '{"roots":{"listChanged":true}}',
      { roots: {} },
    ],
    ['what nobody knows', '{"tasks":{},"extensions":{"x":{}}}', {}],
    ['what is no object', '{"elicitation":true,"sampling":[],"roots":null}', {}],
    ['what every object has', '{"__proto__":{"roots":{}},"constructor":{}}', {}],
    ['more than is looked at', `{"elicitation":{},"x":"${'x'.repeat(64 * 1024)}"}`, {}],
  ])('%s', (_name, declared, told) => {
    expect(declaring(declared)).toEqual(told)
  })
})

test('what is declared has a name, the same for the same, whatever was declared before', () => {
  const before = new DeclaredBefore()
  const long = `{"roots":{},"x":"${'x'.repeat(2000)}"}`
  const all = [
    ['{"elicitation":{}}', '{"elicitation":{}}'],
    ['{"elicitation":{}}', '{"elicitation":{}}'],
    ['{ "elicitation":{"x":1}}', '{"elicitation":{}}'],
    [long, '{"roots":{}}'],
    ['{"elicitation":{}}', '{"elicitation":{}}'],
    ['{"sampling":{}}', '{"sampling":{}}'],
    ['{}', '{}'],
  ] as const
  for (const [declared, name] of all) {
    expect(before.by(declares(declared))).toEqual({ capabilities: JSON.parse(name), name })
  }
  expect(before.by(requestWith('')).name).toBe('{}')
})

describe('a question', () => {
  test.each<[string, string, string, ReturnType<typeof missingFor>]>([
    ['elicitation/create', '{}', '{"elicitation":{}}', undefined],
    ['elicitation/create', '{}', '{"elicitation":{"form":{},"url":{}}}', undefined],
    ['elicitation/create', '{"mode":"form"}', '{"elicitation":{"form":{}}}', undefined],
    ['elicitation/create', '{}', '{"elicitation":{"url":{}}}', { elicitation: { form: {} } }],
    ['elicitation/create', '{"mode":"url"}', '{"elicitation":{"url":{}}}', undefined],
    ['elicitation/create', '{"mode":"url"}', '{"elicitation":{}}', { elicitation: { url: {} } }],
    ['elicitation/create', '{}', '{"roots":{}}', { elicitation: {} }],
    ['sampling/createMessage', '{}', '{"sampling":{}}', undefined],
    ['sampling/createMessage', '{}', '{}', { sampling: {} }],
    ['sampling/createMessage', '{"tools":[]}', '{"sampling":{"tools":{}}}', undefined],
    ['sampling/createMessage', '{"tools":null}', '{"sampling":{}}', undefined],
    ['sampling/createMessage', '{"tools":[]}', '{"sampling":{}}', { sampling: { tools: {} } }],
    ['sampling/createMessage', '{"toolChoice":{}}', '{"sampling":{}}', { sampling: { tools: {} } }],
    ['roots/list', '{}', '{"sampling":{}}', { roots: {} }],
    ['com.example/ask', '{}', '{"elicitation":{}}', 'unknown'],
    ['constructor', '{}', '{}', 'unknown'],
  ])('%s %s of who declares %s', (method, params, declared, missing) => {
    const question = aRequest(`{"jsonrpc":"2.0","id":1,"method":"${method}","params":${params}}`)
    expect(missingFor(question, declaring(declared))).toEqual(missing)
  })
})
