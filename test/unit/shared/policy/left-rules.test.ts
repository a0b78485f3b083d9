// What is kept of a caller's rules says the same as all of them, however often and in whatever order is asked, and of whom.

import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { readArguments } from '../../../../shared/policy/arguments.ts'
import type { Caller } from '../../../../shared/policy/caller.ts'
import type { Policy, Question } from '../../../../shared/policy/decide.ts'
import { readPolicy } from '../../../../shared/policy/policy.ts'
import { placedWords } from '../../../../shared/placed-fault.ts'

const IDP = 'https://idp.example'
const TEXT = `
version: 1
roles:
  reader: { who: { groups: [staff] }, tools: ['read_*'] }
rules:
  - { name: late, effect: deny, tools: [transfer], when: "arguments.amount > 100" }
  - { name: bots, effect: deny, tools: ['*'], when: "has(principal.client) && principal.client == 'bot'" }
  - { name: nobodys, effect: deny, tools: [transfer], when: "principal.client == 'x'" }
  - { name: strangers, effect: deny, who: { scopes: [none] }, tools: [transfer] }
  - { name: staff, effect: allow, who: { roles: [reader] }, tools: [transfer, 'write_*'] }
  - { name: same, effect: allow, tools: [whoami], when: "principal.subject == 'ada' && tool == 'whoami'" }
  - { name: ada, effect: allow, tools: [read_x, other], when: "principal.subject == 'ada'" }
  - { name: readers, effect: allow, methods: ['tasks/*'], who: { groups: [staff] } }
`

const policy = (): Policy => {
  const read = readPolicy(TEXT)
  if (!read.ok) throw new Error(read.error.map(placedWords).join('\n'))
  return read.value.policy
}

const caller = (subject: string, more: Partial<Caller> = {}): Caller => ({
  issuer: IDP,
  subject,
  groups: [],
  scopes: [],
  ...more,
})

const CALLERS = [
  undefined,
  caller('ada', { groups: ['staff'] }),
  caller('ada', { client: 'web' }),
  caller('bob', { groups: ['staff'], client: 'bot' }),
  caller('eve', { scopes: ['none'], client: 'x' }),
]
const TOOLS = [
  'transfer',
  'read_x',
  'write_x',
  'whoami',
  'other',
  'none',
  'r\u00e9ad',
  '',
  'a'.repeat(200),
]

const question = fc.record<Question>({
  caller: fc.constantFrom(...CALLERS),
  method: fc.constant('tools/call'),
  target: fc.oneof(
    fc.record({ kind: fc.constant('tools' as const), name: fc.constantFrom(...TOOLS) }),
    fc.record({
      kind: fc.constant('methods' as const),
      name: fc.constantFrom('tasks/get', 'ping'),
    }),
    fc.record({
      kind: fc.constant('resources' as const),
      name: fc.constantFrom('file:///a', 'file:///*'),
      isTemplate: fc.boolean(),
    }),
  ),
  argumentsOf: fc.constantFrom(
    undefined,
    () => readArguments('{}'),
    () => readArguments('{"amount":1}'),
    () => readArguments('{"amount":200}'),
    () => readArguments('{"Amount":200}'),
  ),
})

test('decisions that follow upon others are those of a policy that was never asked', () => {
  fc.assert(
    fc.property(fc.array(question, { maxLength: 30 }), (questions) => {
      const asked = policy()
      for (const one of questions) expect(asked.decide(one)).toEqual(policy().decide(one))
    }),
    { numRuns: 40 },
  )
})

test('so are those of more names and callers than are kept', () => {
  const asked = policy()
  const [, ada] = CALLERS
  const argumentsOf = () => readArguments('{"amount":200}')
  const decide = (one: Caller | undefined, name: string) =>
    asked.decide({
      caller: one,
      method: 'tools/call',
      target: { kind: 'tools', name },
      argumentsOf,
    })
  const names = Array.from({ length: 3000 }, (_, index) => `read_${index}`)
  for (const one of [ada, ...CALLERS, caller('zoe')]) {
    for (const name of names) {
      expect(decide(one, name).rule).toBe(
        one?.client === 'bot' ? 'bots' : one?.groups?.includes('staff') ? 'role:reader' : undefined,
      )
    }
    expect(decide(ada, 'transfer').rule).toBe('late')
  }
})
