import { expect, test } from '@jest/globals'
import { whoCan, whoCanWithin } from '../../../../cli/policy/who-can.ts'
import { decisionWords } from '../../../../cli/policy/words.ts'
import { readPolicy } from '../../../../shared/policy/policy.ts'

const DECISION = { isAllowed: true, rule: 'a', roles: ['r', 's'], isDryRun: false, failed: [] }

test.each([
  ['allowed', {}, 'allowed by a\nroles: r, s\n'],
  ['denied', { isAllowed: false }, 'denied by a\nroles: r, s\n'],
  ['free', { rule: undefined, roles: [] }, 'allowed\nroles: none\n'],
  [
    'a dry run',
    { isAllowed: false, rule: undefined, isDryRun: true },
    'denied: no rule allows it\nmode: dry-run, so it is let through\nroles: r, s\n',
  ],
  [
    'nothing in the base policy',
    { isAllowed: false, rule: undefined, isOfBase: true },
    'denied: no rule of the base policy allows it\nroles: r, s\n',
  ],
  [
    'a condition that failed',
    { failed: [{ rule: 'b', why: 'field not found: x' }] },
    'allowed by a\nroles: r, s\nthe condition of b failed: field not found: x\n',
  ],
])('%s', (_what, more, words) => {
  expect(decisionWords({ ...DECISION, ...more })).toBe(words)
})

const POLICY = `
version: 1
roles:
  reader: { who: { groups: [staff, guests], scopes: [read] }, tools: [read_*], resources: ['file:///a/*'] }
rules:
  - { name: small, effect: allow, tools: [read_file], when: arguments.n == 1 }
  - { name: gone, effect: deny, who: { principals: [{ issuer: i, subject: mallory }] } }
`

test.each([
  [
    'tools',
    'read_file',
    'denied by\n  gone: mallory of i\nallowed by\n  role:reader: groups staff or guests, scopes read\n  small: everybody, when arguments.n == 1\n',
  ],
  ['tools', 'write', 'denied by\n  gone: mallory of i\nno rule allows it\n'],
  ['resources', 'file:///a/../b', 'denied by\n  gone: mallory of i\nno rule allows it\n'],
] as const)('who can use one of the %s, %s', (kind, name, words) => {
  const read = readPolicy(POLICY)
  expect(read.ok && whoCan(read.value, { kind, name })).toBe(words)
})

test('within a base policy both are told', () => {
  const [base, own] = ['a', 'b'].map((name) =>
    readPolicy(`version: 1\nrules: [{ name: ${name}, effect: allow, tools: [x] }]\n`),
  )
  if (!base?.ok || !own?.ok) throw new Error('no policies')
  expect(whoCanWithin(base.value, own.value, { kind: 'tools', name: 'x' })).toBe(
    'by the base policy\nallowed by\n  a: everybody\n\nand by the policy\nallowed by\n  b: everybody\n',
  )
})
