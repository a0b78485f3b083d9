// What of a client's baggage is copied into its span: workflow and agent, as its own word.

import { expect, test } from '@jest/globals'
import { assertedIn } from '../../../../sidecar/telemetry/baggage.ts'

const asserted = (values: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`outrigger.asserted.${name}`, value]),
  )

test.each<[string, string | undefined, Readonly<Record<string, string>>]>([
  ['none', undefined, {}],
  ['an empty one', '', {}],
  ['workflow and agent', 'workflow=a,agent=b', { workflow: 'a', agent: 'b' }],
  ['ids and names', 'workflow.id=1,agent_name=b', { 'workflow.id': '1', agent_name: 'b' }],
  ['names of gen_ai', 'gen_ai.conversation.id=c', { 'gen_ai.conversation.id': 'c' }],
  ['anything else', 'user=a,workflows=b,xworkflow=c,gen_ai.user=d', {}],
  ['spaces and properties', ' workflow = a b ;x=1;y , agent=c', { workflow: 'a b', agent: 'c' }],
  ['escapes', 'workflow=a%2Cb%20%C3%A9', { workflow: 'a,b é' }],
  ['escapes that are none', 'workflow=%zz,agent=%C3,agent.id=c', { 'agent.id': 'c' }],
  ['an equals sign in a value', 'workflow=a=b', { workflow: 'a=b' }],
  ['a key twice', 'workflow=a,workflow=b', { workflow: 'a' }],
  ['no value', 'workflow=,agent', {}],
  ['more than anybody has to take', `${'x=1,'.repeat(200)}workflow=a`, {}],
  ['a longer one', `workflow=${'a'.repeat(9000)}`, {}],
])('%s', (_name, baggage, expected) => {
  expect(assertedIn(baggage)).toEqual(asserted(expected))
})

test('what looks like a secret is left out', () => {
  const [told] = Object.values(assertedIn(`workflow=ghp_${'a1B2'.repeat(9)}`))
  expect(told).not.toContain('a1B2a1B2')
})
