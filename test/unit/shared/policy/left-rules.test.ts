// What is kept of a caller's rules says the same as all of them, however often and in whatever order is asked, and of whom.

import { expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { readArguments } from '../../../../shared/policy/arguments.ts'
import type { Caller } from '../../../../shared/policy/caller.ts'
import type { Policy, Question } from '../../../../shared/policy/decide.ts'
import { LeftRules } from '../../../../shared/policy/left-rules.ts'
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
  - { name: paths, effect: deny, tools: [write_x], when: "has(arguments.path) && arguments.path.startsWith('/etc/')" }
  - { name: sizes, effect: deny, tools: [write_x], when: "size(arguments.text) > 3 && has(arguments.text)" }
  - { name: named, effect: deny, tools: [write_x], when: "tool == 'write_x' && 'force' in arguments" }
  - { name: rows, effect: deny, tools: [write_x], when: "has(arguments.rows) && arguments.rows.exists(row, row == 'x')" }
  - { name: must, effect: deny, tools: [write_y], when: "!has(arguments.why)" }
  - { name: why, effect: allow, tools: [write_y], when: "has(arguments.why) && arguments.why != ''" }
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
  'write_y',
  'whoami',
  'other',
  'none',
  'r\u00e9ad',
  '',
  'a'.repeat(200),
]

const NAMES = ['amount', 'Amount', 'path', 'PATH', 'text', 'force', 'rows', 'why', 'other', 'b']
const VALUES = [
  '1',
  '200',
  '"/etc/x"',
  '"a"',
  '""',
  'null',
  'true',
  '["x"]',
  '{"path":"/a"}',
  '"\\n"',
]
const members = fc
  .array(fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...VALUES)), { maxLength: 9 })
  .map((all) => `{${[...new Map(all)].map(([name, value]) => `"${name}":${value}`).join(',')}}`)

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
  argumentsOf: fc
    .option(fc.oneof(members, fc.constant('[1]')))
    .map((json) => (json === null ? undefined : () => readArguments(json))),
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

test('what the names of arguments say is asked no more, and what is spelt otherwise still is', () => {
  const asked = policy()
  const [, ada] = CALLERS
  const ruleFor = (json: string) =>
    asked.decide({
      caller: ada,
      method: 'tools/call',
      target: { kind: 'tools', name: 'write_x' },
      argumentsOf: () => readArguments(json),
    }).rule
  const rounds = [
    ['{"b":1}', 'staff'],
    ['{"path":"/tmp"}', 'staff'],
    ['{"path":"/tmp","text":""}', 'staff'],
    ['{"path":"/etc/passwd"}', 'paths'],
    ['{"Path":"/etc/passwd","text":""}', 'paths'],
    ['{"text":"abcd"}', 'sizes'],
    ['{"text":"abc"}', 'staff'],
    ['{"text":"","force":false}', 'named'],
    ['{"text":"","FORCE":false}', 'named'],
    ['{"text":"","rows":["x"]}', 'rows'],
    ['{"text":"","rows":["y"]}', 'staff'],
    [`{"text":"","path":"/etc/${'x'.repeat(5000)}"}`, 'paths'],
    [`{"text":"","b":"${'x'.repeat(5000)}"}`, 'staff'],
  ] as const
  for (let round = 0; round < 3; round++) {
    expect(rounds.map(([json]) => [json, ruleFor(json)])).toEqual(rounds)
  }
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

test('so are those of a tool that more rules are about than are kept', () => {
  const many = Array.from(
    { length: 300 },
    (_, index) =>
      `  - { name: r${index}, effect: deny, tools: ['*'], when: "'a${index}' in arguments" }`,
  )
  const read = readPolicy(
    `version: 1\nrules:\n${many.join('\n')}\n  - { name: all, effect: allow, tools: ['*'] }`,
  )
  if (!read.ok) throw new Error(read.error.map(placedWords).join('\n'))
  const ruleFor = (json: string) =>
    read.value.policy.decide({
      caller: undefined,
      method: 'tools/call',
      target: { kind: 'tools', name: 'x' },
      argumentsOf: () => readArguments(json),
    }).rule
  for (let round = 0; round < 3; round++) {
    expect(['{"a7":1}', '{"A7":1}', '{"b":1}'].map(ruleFor)).toEqual(['r7', 'r7', 'all'])
  }
})

test('what is kept of callers who are held and call no more is bounded, too', () => {
  const left = new LeftRules()
  const held = Array.from({ length: 8 }, () => left.none())
  for (const kept of held) {
    for (let index = 0; index < 10_000; index++) {
      left.keep(kept, { kind: 'tools', name: `t${index}` }, { deny: [], allow: [] })
    }
  }
  const entries = held.reduce((sum, { byName }) => sum + (byName.tools?.size ?? 0), 0)
  expect(entries).toBeGreaterThan(0)
  expect(entries).toBeLessThanOrEqual(16_384)
})
