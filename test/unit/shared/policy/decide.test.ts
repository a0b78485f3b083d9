import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { readArguments } from '../../../../shared/policy/arguments.ts'
import type { Caller } from '../../../../shared/policy/caller.ts'
import type { Condition, Verdict } from '../../../../shared/policy/condition.ts'
import { letsThrough, Policy, type Decision } from '../../../../shared/policy/decide.ts'
import { readPolicy } from '../../../../shared/policy/policy.ts'
import type { Kind } from '../../../../shared/policy/schema.ts'
import { templateGlob } from '../../../../shared/policy/uri.ts'
import { placedWords } from '../../../../shared/placed-fault.ts'

const policyOf = (text: string): Policy => {
  const read = readPolicy(text)
  if (!read.ok) throw new Error(read.error.map(placedWords).join('\n'))
  return read.value.policy
}

const METHODS: Readonly<Record<Kind, string>> = {
  tools: 'tools/call',
  prompts: 'prompts/get',
  resources: 'resources/read',
  methods: '',
}

const ask = (
  policy: Policy,
  caller: Caller | undefined,
  target: readonly [Kind, string],
  json?: string,
): Decision => {
  const [kind, name] = target
  return policy.decide({
    caller,
    method: METHODS[kind] || name,
    target: { kind, name },
    argumentsOf: json === undefined ? undefined : () => readArguments(json),
  })
}

const IDP = 'https://idp.example'
const ALICE: Caller = { issuer: IDP, subject: 'alice', groups: ['staff'], scopes: ['read'] }
const BOB: Caller = { issuer: IDP, subject: 'bob', client: 'bot', groups: [], scopes: [] }
const FORGED: Caller = { ...ALICE, issuer: 'https://other.example' }

const POLICY = policyOf(`
version: 1
roles:
  reader:
    who: { issuers: [${IDP}], groups: [staff] }
    tools: [read_*, list]
    prompts: [summary]
    resources: ['file:///public/*', 'file:///secret/../odd']
rules:
  - name: no-deletes
    effect: deny
    tools: ['*delete*']
  - name: small
    effect: allow
    who: { roles: [reader] }
    tools: [transfer]
    when: arguments.amount <= 100
  - name: not-abroad
    effect: deny
    tools: [transfer]
    when: arguments.country != "CH"
  - name: anybody
    effect: allow
    tools: [ping_tool]
  - name: tasks
    effect: allow
    who: { clients: [bot] }
    methods: ['tasks/*', elicitation/create]
  - name: no-logging
    effect: deny
    who: { clients: [bot] }
    methods: [logging/setLevel]
  - name: gone
    effect: deny
    who: { principals: [{ issuer: ${IDP}, subject: mallory }] }
`)

describe('a decision', () => {
  test.each<[string, Caller | undefined, readonly [Kind, string, string?], string]>([
    ['a role allows its tools', ALICE, ['tools', 'read_file', '{}'], 'allowed by role:reader'],
    ['a claim counts under its issuer', FORGED, ['tools', 'read_file', '{}'], 'denied'],
    ['nobody has a role', undefined, ['tools', 'read_file', '{}'], 'denied'],
    [
      'a rule for everybody is for nobody, too',
      undefined,
      ['tools', 'ping_tool', '{}'],
      'allowed by anybody',
    ],
    ['what denies goes before', ALICE, ['tools', 'read_deleted', '{}'], 'denied by no-deletes'],
    ['what nothing allows is denied', ALICE, ['tools', 'write', '{}'], 'denied'],
    ['a name is no pattern', ALICE, ['tools', 'read_*', '{}'], 'allowed by role:reader'],
    ['a star is no tool', ALICE, ['tools', '*', '{}'], 'denied'],
    [
      'a condition that holds',
      ALICE,
      ['tools', 'transfer', '{"amount":1,"country":"CH"}'],
      'allowed by small',
    ],
    ['one that does not', ALICE, ['tools', 'transfer', '{"amount":101,"country":"CH"}'], 'denied'],
    [
      'one that fails allows nothing',
      ALICE,
      ['tools', 'transfer', '{"country":"CH"}'],
      'denied, small failed',
    ],
    [
      'one that fails denies',
      ALICE,
      ['tools', 'transfer', '{"amount":1}'],
      'denied by not-abroad, not-abroad failed',
    ],
    ['what some arguments allow is listed', ALICE, ['tools', 'transfer'], 'allowed by small'],
    ['but not to whom none would', BOB, ['tools', 'transfer'], 'denied'],
    ['a prompt is no tool', ALICE, ['tools', 'summary', '{}'], 'denied'],
    ['a prompt', ALICE, ['prompts', 'summary', '{}'], 'allowed by role:reader'],
    ['a resource', ALICE, ['resources', 'file:///public/a'], 'allowed by role:reader'],
    ['one beside it', ALICE, ['resources', 'file:///public/../secret'], 'denied'],
    [
      'an odd one that is named',
      ALICE,
      ['resources', 'file:///secret/../odd'],
      'allowed by role:reader',
    ],
    ['what every conversation needs', undefined, ['methods', 'initialize'], 'allowed'],
    ['a method that nobody knows', ALICE, ['methods', 'admin/shutdown'], 'denied'],
    ['one that is named', BOB, ['methods', 'tasks/get'], 'allowed by tasks'],
    ["a request of the server's", ALICE, ['methods', 'elicitation/create'], 'denied'],
    ['what everybody may, denied', BOB, ['methods', 'logging/setLevel'], 'denied by no-logging'],
    [
      'whoever is denied everything',
      { ...BOB, subject: 'mallory' },
      ['methods', 'initialize'],
      'denied by gone',
    ],
  ])('%s', (_what, caller, [kind, name, json], expected) => {
    const { isAllowed, rule, failed } = ask(POLICY, caller, [kind, name], json)
    const words = [`${isAllowed ? 'allowed' : 'denied'}${rule === undefined ? '' : ` by ${rule}`}`]
    expect([...words, ...failed.map((one) => `${one.rule} failed`)].join(', ')).toBe(expected)
  })

  test.each([
    ['a URI in another spelling', ['resources', 'f://h/a/../b'], ['f://h/*']],
    ['an opaque one', ['resources', 'a b'], ['*']],
  ] as const)(
    '%s is denied by a pattern, though another rule names it',
    (_what, target, denied) => {
      const policy = policyOf(`
version: 1
rules:
- { name: named, effect: allow, resources: ['${target[1]}'] }
- { name: no, effect: deny, who: { groups: [staff] }, resources: ['${denied[0]}'] }
`)
      expect(ask(policy, ALICE, target).rule).toBe('no')
      expect(ask(policy, BOB, target).rule).toBe('named')
    },
  )

  test('carries the roles of its caller', () => {
    expect(ask(POLICY, ALICE, ['tools', 'write'], '{}').roles).toEqual(['reader'])
    expect(POLICY.rolesOf(FORGED)).toEqual([])
  })

  test('a policy without rules denies all', () => {
    expect(ask(policyOf('version: 1'), ALICE, ['tools', 'x'], '{}').isAllowed).toBe(false)
  })

  test('a dry run lets through what it denies, and says so', () => {
    const policy = policyOf('version: 1\nmode: dry-run')
    const decision = ask(policy, ALICE, ['tools', 'x'], '{}')
    expect([decision.isAllowed, letsThrough(decision)]).toEqual([false, true])
  })

  test('whoever is denied everything is blocked, by name', () => {
    expect(POLICY.blocked({ ...BOB, subject: 'mallory' })).toBe('gone')
    expect(POLICY.blocked({ ...BOB, subject: 'mallory', issuer: 'https://other.example' })).toBe(
      undefined,
    )
    expect(POLICY.blocked(undefined)).toBe(undefined)
  })
})

const template = (policy: Policy, uriTemplate: string): boolean =>
  policy.decide({
    caller: ALICE,
    method: 'resources/read',
    target: { kind: 'resources', name: templateGlob(uriTemplate), isTemplate: true },
    argumentsOf: undefined,
  }).isAllowed

test.each([
  ['file:///public/{name}', true],
  ['file:///{+path}', true],
  ['file:///private/{name}', false],
  ['file:///secret/../{name}', true],
  ['https://{host}/', false],
])('the template %s is listed: %s', (uriTemplate, is) => {
  expect(template(POLICY, uriTemplate)).toBe(is)
})

test.each([
  ["['*']", false],
  ["['file:///public/*']", false],
  ["['file:///public/x*']", true],
])('a template is hidden where each of its URIs is denied: %s', (denied, is) => {
  const policy = policyOf(
    `version: 1\nrules: [{name: a, effect: allow, resources: ['*']}, {name: d, effect: deny, resources: ${denied}}]`,
  )
  expect(template(policy, 'file:///public/{name}')).toBe(is)
})

const NAMES = ['read', 'read_a', 'write', 'write_a', 'a']
const PATTERNS = [...NAMES, '*', 'read*', '*_a', 'w*e', 'r*d*a']
const CONDITIONS = [
  undefined,
  'tool == "read"',
  'method == "tools/call"',
  '"staff" in principal.groups',
  'principal.client == "bot"',
  'arguments.n == 1',
  'arguments.n == 2',
  'tool',
]

const rules = fc.array(
  fc.record(
    {
      effect: fc.constantFrom('allow', 'deny'),
      who: fc.constantFrom({ groups: ['staff'] }, { clients: ['bot'] }, { roles: ['reader'] }),
      tools: fc.uniqueArray(fc.constantFrom(...PATTERNS), { minLength: 1, maxLength: 3 }),
      when: fc.constantFrom(...CONDITIONS),
    },
    { requiredKeys: ['effect', 'tools'] },
  ),
  { maxLength: 6 },
)

const documentOf = (some: readonly object[]): string =>
  JSON.stringify({
    version: 1,
    roles: { reader: { who: { groups: ['staff'] }, prompts: ['none'] } },
    rules: some.map((rule, index) => ({ name: `r${index}`, ...rule })),
  })

describe('lists and calls', () => {
  test('agree: what is hidden cannot be called, and what no argument decides can be where it is not', () => {
    fc.assert(
      fc.property(rules, fc.constantFrom(ALICE, BOB, undefined), (some, caller) => {
        const policy = policyOf(documentOf(some))
        const hasOpen = some.some(({ when = '' }) => when.includes('arguments'))
        for (const name of NAMES) {
          const isListed = ask(policy, caller, ['tools', name]).isAllowed
          const calls = ['{}', '{"n":1}', '{"n":2}'].map(
            (json) => ask(policy, caller, ['tools', name], json).isAllowed,
          )
          if (!isListed) expect(calls).toEqual([false, false, false])
          else if (!hasOpen) expect(calls).toEqual([true, true, true])
        }
      }),
      { numRuns: 500 },
    )
  })

  test('agree about templates: of one that is hidden no URI can be read', () => {
    const parts = fc.constantFrom('a', 'b', '*', '{x}')
    const text = fc.array(parts, { minLength: 1, maxLength: 4 }).map((all) => all.join(''))
    const some = fc.array(fc.tuple(fc.constantFrom('allow', 'deny'), text), { maxLength: 4 })
    fc.assert(
      fc.property(some, text, fc.constantFrom('', 'a', 'ab', 'ba'), (pairs, uriTemplate, value) => {
        const resources = (pattern: string) => [`t://h/${pattern.replaceAll('{x}', '*')}`]
        const document = pairs.map(([effect, pattern]) => ({
          effect,
          resources: resources(pattern),
        }))
        const policy = policyOf(documentOf(document))
        const full = `t://h/${uriTemplate.replaceAll('*', 'a')}`
        const uri = full.replaceAll('{x}', value)
        if (!template(policy, full)) {
          expect(ask(policy, ALICE, ['resources', uri]).isAllowed).toBe(false)
        }
      }),
      { numRuns: 500 },
    )
  })
})

test('a name is decided about alike however often, and whatever else was asked meanwhile', () => {
  const names = ['read_a', 'delete_b', 'list', 'other', 'x'.repeat(200), 'read_delete']
  const asked = (policy: Policy, name: string): readonly boolean[] =>
    (['tools', 'prompts'] as const).map((kind) => ask(policy, ALICE, [kind, name]).isAllowed)
  const alone = names.map((name) => asked(POLICY, name))
  const among = [0, 300, 700].map((count) => {
    for (let index = 0; index < count; index++) asked(POLICY, `read_${index}`)
    return names.map((name) => asked(POLICY, name))
  })
  expect(alone.map(([isTool]) => isTool)).toEqual([true, false, true, false, false, false])
  expect(among).toEqual([alone, alone, alone])
})

describe('a condition', () => {
  /** Policies of one condition, which counts how often it is asked. */
  const counting = (isOfCaller: boolean, verdict: Verdict) => {
    const seen = { asked: 0 }
    const condition: Condition = {
      source: '',
      variables: new Set(),
      isOfCaller,
      holds: () => {
        seen.asked++
        return verdict
      },
      byNames: () => undefined,
      holdsOver: () => verdict,
    }
    const rule = { name: 'one', order: 0, who: () => true, targets: undefined, condition } as const
    const policy = new Policy({ isDryRun: false, roles: [], rules: [{ ...rule, effect: 'allow' }] })
    return { policy, seen }
  }

  test.each<[string, boolean, Verdict, number]>([
    ['that the caller alone decides is asked once for each caller', true, { kind: 'holds' }, 2],
    ['that has failed is asked again', true, { kind: 'failed', why: 'no effort left' }, 4],
    ['that anything else decides is asked every time', false, { kind: 'holds' }, 4],
  ])('%s', (_name, isOfCaller, verdict, asked) => {
    const { policy, seen } = counting(isOfCaller, verdict)
    for (const caller of [ALICE, BOB, ALICE, BOB]) {
      const { isAllowed } = ask(policy, caller, ['tools', 'x'], '{}')
      expect(isAllowed).toBe(verdict.kind === 'holds')
    }
    expect(seen.asked).toBe(asked)
  })
})
