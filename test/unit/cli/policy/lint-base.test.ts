import { expect, test } from '@jest/globals'
import { lintWithin } from '../../../../cli/policy/lint-base.ts'
import { readPolicy } from '../../../../shared/policy/policy.ts'
import { placedWords } from '../../../../shared/placed-fault.ts'

const policyOf = (rules: string) => {
  const read = readPolicy(`version: 1\nrules:\n${rules}`)
  if (!read.ok) throw new Error(read.error.map(placedWords).join('\n'))
  return read.value
}

const BASE = policyOf(
  [
    '- {name: reads, effect: allow, tools: ["read_*", "delete_*"]}',
    '- {name: no-deletes, effect: deny, tools: ["delete_*"]}',
    '- {name: not-always, effect: deny, tools: [read_list], when: arguments.n == 1}',
  ].join('\n'),
)

test.each<[string, string, readonly string[]]>([
  ['what the base policy allows', '- {name: a, effect: allow, tools: [read_file, "*_a"]}', []],
  [
    'what nothing in it allows',
    '- {name: a, effect: allow, tools: [read_file, write_file], prompts: [p]}',
    [
      'line 3, column 47: rules.0.tools.1: the base policy allows none of it',
      'line 3, column 70: rules.0.prompts.0: the base policy allows none of it',
    ],
  ],
  [
    'what it denies',
    '- {name: a, effect: allow, tools: [delete_file]}',
    ['line 3, column 3: rules.0: never decides: base:no-deletes denies all of it'],
  ],
  ['what it denies under a condition', '- {name: a, effect: allow, tools: [read_list]}', []],
  ['a denial of what it never allows', '- {name: a, effect: deny, tools: [write_file]}', []],
])('within a base policy: %s', (_what, rules, findings) => {
  expect(lintWithin(policyOf(rules), BASE.document).map(placedWords)).toEqual(findings)
})
