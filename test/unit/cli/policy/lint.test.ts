import { describe, expect, test } from '@jest/globals'
import { lintPolicy } from '../../../../cli/policy/lint.ts'
import { readPolicy } from '../../../../shared/policy/policy.ts'
import { placedWords } from '../../../../shared/placed-fault.ts'

const lint = (rules: string, tools?: readonly string[]): readonly string[] => {
  const read = readPolicy(`version: 1\nrules:\n${rules}`)
  if (!read.ok) throw new Error(read.error.map(placedWords).join('\n'))
  return lintPolicy(read.value, tools).map(placedWords)
}

describe('lintPolicy', () => {
  test.each<[string, string, readonly string[]]>([
    [
      'a rule that another denies',
      '- {name: a, effect: allow, tools: [x_y]}\n- {name: b, effect: deny, tools: ["x_*"]}',
      ['line 3, column 3: rules.0: never decides: b denies all of it'],
    ],
    [
      'a rule that another says before it',
      '- {name: a, effect: allow, tools: ["*"]}\n- {name: b, effect: allow, who: {groups: [g]}, tools: [x]}',
      ['line 4, column 3: rules.1: never decides: a decides the same before it'],
    ],
    [
      'one whose other is about others',
      '- {name: a, effect: allow, who: {groups: [h]}, tools: ["*"]}\n- {name: b, effect: allow, who: {groups: [g]}, tools: [x]}',
      [],
    ],
    [
      'one whose other has a condition',
      '- {name: a, effect: allow, tools: [x]}\n- {name: b, effect: deny, tools: [x], when: arguments.a == 1}',
      [],
    ],
    [
      'one that another denies in part',
      '- {name: a, effect: allow, tools: [x, y]}\n- {name: b, effect: deny, tools: [x]}',
      [],
    ],
    [
      'a rule that denies everything',
      '- {name: a, effect: allow, tools: [x]}\n- {name: b, effect: deny}',
      ['line 3, column 3: rules.0: never decides: b denies all of it'],
    ],
    [
      'a condition that always fails',
      '- {name: a, effect: allow, tools: [x], when: tool + 1 == 2}',
      ['line 3, column 40: rules.0.when: always fails'],
    ],
    [
      'a condition that is no condition',
      '- {name: a, effect: allow, tools: [x], when: "1 == 1"}',
      ['line 3, column 40: rules.0.when: always holds'],
    ],
    [
      'a letter of another alphabet',
      '- {name: a, effect: allow, tools: [rеad]}',
      ['line 3, column 36: rules.0.tools.0: holds U+0435, which may look like another character'],
    ],
    [
      'a pattern that no URI has',
      '- {name: a, effect: allow, resources: ["file:///a/../*"]}',
      [
        'line 3, column 40: rules.0.resources.0: allows nothing: patterns allow only URIs that have one spelling',
      ],
    ],
    ['one that denies such', '- {name: a, effect: deny, resources: ["file:///a/../*"]}', []],
    ['nothing', '- {name: a, effect: allow, tools: [x], when: arguments.a == 1}', []],
  ])('%s', (_what, rules, findings) => {
    expect(lint(rules)).toEqual(findings)
  })

  test("patterns that match nothing of the server's", () => {
    const rules = '- {name: a, effect: allow, tools: [read_file, raed_file, "write_*", "read_*"]}'
    expect(lint(rules, ['read_file', 'list'])).toEqual([
      'line 3, column 47: rules.0.tools.1: the server has no such tool; did you mean read_file?',
      'line 3, column 58: rules.0.tools.2: the server has no such tool',
    ])
  })

  test('compares few of many misspelt tools with all that there are', () => {
    const wrong = Array.from({ length: 100 }, (_, index) => `tol_${index}`)
    const right = wrong.map((name) => name.replace('tol', 'tool'))
    const found = lint(`- {name: a, effect: allow, tools: [${wrong.join(', ')}]}`, right)
    expect(found.filter((finding) => finding.endsWith('?'))).toHaveLength(20)
    expect(found).toHaveLength(100)
  })
})
