import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { readArguments } from '../../../../shared/policy/arguments.ts'
import type { Caller } from '../../../../shared/policy/caller.ts'
import { letsThrough, type Decision, type Policy } from '../../../../shared/policy/decide.ts'
import { BASE_PREFIX, Narrowed, type Decider } from '../../../../shared/policy/narrowed.ts'
import { checkPolicy } from '../../../../shared/policy/policy.ts'
import { KINDS } from '../../../../shared/policy/schema.ts'

const policyOf = (rules: readonly object[], more: object = {}, prefix = ''): Policy => {
  const read = checkPolicy({ version: 1, rules, ...more }, prefix)
  if (!read.ok) throw new Error(read.error.map(({ message }) => message).join())
  return read.value.policy
}

const IDP = 'https://idp.example'
const ALICE: Caller = { issuer: IDP, subject: 'alice', groups: ['staff'], scopes: [] }
const BOB: Caller = { issuer: IDP, subject: 'bob', client: 'bot', groups: [], scopes: [] }

const ask = (policy: Decider, caller: Caller | undefined, name: string, json?: string): Decision =>
  policy.decide({
    caller,
    method: 'tools/call',
    target: { kind: 'tools', name },
    argumentsOf: json === undefined ? undefined : () => readArguments(json),
  })

const BASE = [
  { name: 'most', effect: 'allow', tools: ['read', 'write', 'odd'] },
  { name: 'no-bots', effect: 'deny', who: { clients: ['bot'] }, tools: ['write'] },
  { name: 'gone', effect: 'deny', who: { principals: [{ issuer: IDP, subject: 'mallory' }] } },
]
const OWN = [
  { name: 'own', effect: 'allow', who: { groups: ['staff'] }, tools: ['read', 'other'] },
  { name: 'bots', effect: 'allow', who: { clients: ['bot'] }, tools: ['write', 'read'] },
  { name: 'not-odd', effect: 'deny', tools: ['odd'] },
  { name: 'left', effect: 'deny', who: { principals: [{ issuer: IDP, subject: 'eve' }] } },
]
const DRY = { mode: 'dry-run' }
const dry = (isDry: boolean): object => (isDry ? DRY : {})

const both = (isBaseDry = false, isOwnDry = false): Narrowed =>
  new Narrowed(policyOf(BASE, dry(isBaseDry), BASE_PREFIX), policyOf(OWN, dry(isOwnDry)))

describe('a policy within a base policy', () => {
  test.each<readonly [string, Caller, string, boolean, string | undefined, true | undefined]>([
    ['allows what both allow, by its own rule', ALICE, 'read', true, 'own', undefined],
    ['cannot allow what the base does not', ALICE, 'other', false, undefined, true],
    ['cannot allow what a rule of the base denies', BOB, 'write', false, 'base:no-bots', undefined],
    ['denies what the base allows', ALICE, 'odd', false, 'not-odd', undefined],
    ['denies what it does not name', ALICE, 'write', false, undefined, undefined],
  ])('%s', (_name, caller, tool, ...[isAllowed, rule, isOfBase]) => {
    const { isDryRun, ...decision } = ask(both(), caller, tool, '{}')
    expect(decision).toMatchObject({ isAllowed, rule })
    expect([decision.isOfBase, isDryRun]).toEqual([isOfBase, false])
  })

  test.each<readonly [boolean, boolean, string, boolean, string | undefined]>([
    [true, false, 'other', true, undefined],
    [true, false, 'odd', false, 'not-odd'],
    [false, true, 'other', false, undefined],
    [false, true, 'odd', true, 'not-odd'],
    [true, true, 'odd', true, 'not-odd'],
  ])(
    'dry runs are each its own: base %s, own %s, %s goes on: %s',
    (isBaseDry, isOwnDry, tool, ...[goesOn, rule]) => {
      const decision = ask(both(isBaseDry, isOwnDry), ALICE, tool, '{}')
      expect([letsThrough(decision), decision.rule]).toEqual([goesOn, rule])
    },
  )

  test.each([
    ['mallory', false, false, 'base:gone'],
    ['eve', false, false, 'left'],
    ['alice', false, false, undefined],
    ['mallory', true, false, undefined],
    ['eve', true, false, 'left'],
    ['eve', false, true, undefined],
  ])('%s, base dry %s, own dry %s, is blocked by %s', (subject, isBaseDry, isOwnDry, rule) => {
    expect(both(isBaseDry, isOwnDry).blocked({ ...ALICE, subject })).toBe(rule)
  })

  test('is a dry run in what nobody can tell only where both are', () => {
    const kinds = [both(), both(true, false), both(false, true), both(true, true)]
    expect(kinds.map((one) => one.refusal(ALICE).isDryRun)).toEqual([false, false, false, true])
    expect(kinds.map(({ isDryRun }) => isDryRun)).toEqual([false, false, false, true])
  })

  test('has roles of its own', () => {
    const role = (group: string) => ({ roles: { r: { who: { groups: [group] }, prompts: ['p'] } } })
    const rule = { name: 'a', effect: 'allow', who: { roles: ['r'] }, tools: ['read'] }
    const policy = new Narrowed(
      policyOf([rule], role('nobody'), BASE_PREFIX),
      policyOf([rule], role('staff')),
    )
    expect(ask(policy, ALICE, 'read', '{}').isAllowed).toBe(false)
  })
})

const NAMES = ['read', 'read_a', 'write', 'a']
const PATTERNS = [...NAMES, '*', 'read*', '*_a']
const CONDITIONS = [
  'tool == "read"',
  '"staff" in principal.groups',
  'arguments.n == 1',
  'arguments.n == 2',
]

const rules = fc
  .array(
    fc.record(
      {
        effect: fc.constantFrom('allow', 'deny'),
        who: fc.constantFrom({ groups: ['staff'] }, { clients: ['bot'] }),
        tools: fc.uniqueArray(fc.constantFrom(...PATTERNS), { minLength: 1, maxLength: 3 }),
        when: fc.constantFrom(...CONDITIONS),
      },
      { requiredKeys: ['effect', 'tools'] },
    ),
    { maxLength: 5 },
  )
  .map((some) => some.map((rule, index) => ({ name: `r${index}`, ...rule })))

test('whatever the two say: a call goes on where both let it, and what a list hides cannot be called', () => {
  fc.assert(
    fc.property(
      fc.tuple(rules, rules),
      fc.tuple(fc.boolean(), fc.boolean()),
      fc.constantFrom(ALICE, BOB, undefined),
      ([baseRules, ownRules], [isBaseDry, isOwnDry], caller) => {
        const base = policyOf(baseRules, dry(isBaseDry), BASE_PREFIX)
        const own = policyOf(ownRules, dry(isOwnDry))
        const policy = new Narrowed(base, own)
        for (const name of NAMES) {
          const isListed = letsThrough(ask(policy, caller, name))
          for (const json of ['{}', '{"n":1}', '{"n":2}']) {
            const goesOn = letsThrough(ask(policy, caller, name, json))
            const each = [base, own].map((one) => letsThrough(ask(one, caller, name, json)))
            expect(goesOn).toBe(!each.includes(false))
            if (!isListed) expect(goesOn).toBe(false)
          }
          if (isListed) {
            expect(policy.mayUseAny(caller, 'tools')).toBe(true)
          }
        }
        for (const kind of KINDS) {
          expect(policy.mayUseAny(caller, kind)).toBe(
            base.mayUseAny(caller, kind) && own.mayUseAny(caller, kind),
          )
        }
      },
    ),
    { numRuns: 500 },
  )
})
