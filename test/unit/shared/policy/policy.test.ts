import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { readPolicy } from '../../../../shared/policy/policy.ts'
import { policyJsonSchema } from '../../../../shared/policy/schema.ts'
import { placedWords } from '../../../../shared/placed-fault.ts'

const faultsOf = (text: string): readonly string[] => {
  const read = readPolicy(text)
  return read.ok ? [] : read.error.map(placedWords)
}

const RULE = 'version: 1\nrules:\n  - name: a\n    effect: allow\n    tools: [x]\n'

describe('readPolicy', () => {
  test('tells everything that is wrong at once, in the order of the text', () => {
    expect(
      faultsOf(`version: 1
mod: enforce
roles:
  reader: { who: {}, tools: [read_*] }
rules:
  - name: one
    effect: alow
    who: { roles: [raeder], group: [a] }
    tools: read_file
    when: tol == "x"
  - name: one
    effect: allow
    methods: [tools/call]
    when: 'tool =='
  - name: nothing
    effect: allow
`),
    ).toEqual([
      'line 2, column 1: mod: there is no such member; did you mean mode?',
      'line 4, column 13: roles.reader.who: says nobody: name somebody',
      'line 7, column 5: rules.0.effect: must be one of allow, deny; did you mean allow?',
      'line 8, column 20: rules.0.who.roles.0: there is no such role; did you mean reader?',
      'line 8, column 29: rules.0.who.group: there is no such member; did you mean groups?',
      'line 9, column 5: rules.0.tools: must be a list',
      'line 10, column 5: rules.0.when: at character 1: there is no variable tol; did you mean tool?',
      'line 11, column 5: rules.1.name: another rule has this name',
      'line 13, column 15: rules.1.methods.0: this is decided by tools',
      'line 14, column 5: rules.1.when: at character 6: this is no CEL: = may not stand here',
      'line 15, column 5: rules.2: says nothing that it allows: name tools, prompts, resources, methods',
    ])
  })

  test('compares few of many misspelt roles with all that there are', () => {
    const roles = Array.from({ length: 900 }, (_, index) => `role-number-${index}`)
    const named = Array.from({ length: 200 }, (_, index) => `role-numbr-${index}`)
    const lines = Array.from(
      { length: 60 },
      (_, index) =>
        `- { name: r${index}, effect: allow, tools: [a], who: { roles: [${named.join(', ')}] } }`,
    )
    const all = roles.map((role) => `  ${role}: { who: { groups: [a] }, tools: [b] }`)
    const faults = faultsOf(['version: 1', 'roles:', ...all, 'rules:', ...lines].join('\n'))
    // All of them would be 11 million comparisons.
    expect(faults.filter((fault) => fault.endsWith('?'))).toHaveLength(5)
    expect(faults).toHaveLength(50)
  })

  test.each([
    ['nothing', '', ['line 1, column 1: the document: is missing: it must be a mapping']],
    ['a list', '- a', ['line 1, column 1: the document: must be a mapping']],
    ['another version', 'version: 2', ['line 1, column 1: version: must be 1']],
    ['no YAML', 'version: [1', [/^line 1, column \d+: /]],
    ['two documents', `${RULE}---\n${RULE}`, [/several documents/]],
    [
      'an alias',
      'version: &a 1\nmode: *a\n',
      ['line 2, column 7: an alias (*name): write out what it stands for'],
    ],
    [
      'a key that stands twice',
      'version: 1\nmode: enforce\nmode: dry-run\n',
      ['line 3, column 1: the key stands twice'],
    ],
    [
      'a prototype',
      'version: 1\nroles:\n  __proto__: {}\n',
      ['line 3, column 3: no key may be called __proto__'],
    ],
    [
      'a key that is no string',
      'version: 1\n1: 2\n',
      ['line 2, column 1: a key must be a string (put it in quotes)'],
    ],
    ['a merge', 'version: 1\n<<: { mode: dry-run }\n', [/<<: there is no such member/]],
    ['a tag', 'version: !foo 1\n', [/tag/]],
    [
      'a name of several words',
      RULE.replace('name: a', 'name: a b'),
      [/^line 3, column 5: rules.0.name: must be letters/],
    ],
    ['an empty list', RULE.replace('[x]', '[]'), [/must have at least 1 items/]],
    ['a name that is no string', RULE.replace('[x]', '[1]'), [/must be a string/]],
    ['an empty pattern', RULE.replace('[x]', "['']"), [/must not be empty/]],
  ])('refuses %s', (_what, text, faults) => {
    expect(faultsOf(text)).toEqual(
      faults.map((fault) => (typeof fault === 'string' ? fault : expect.stringMatching(fault))),
    )
  })

  test('is bounded whatever is written', () => {
    for (const text of [
      'a'.repeat(256 * 1024 + 1),
      '['.repeat(100_000),
      '{a: '.repeat(50_000),
      Array.from({ length: 25_000 }, (_, index) => `k${index}: 1`).join('\n'),
      `version: 1\nroles:\n${Array.from({ length: 7000 }, (_, index) => ` r${index}: {who: {}}`).join('\n')}`,
      `version: 1\nrules:\n${' - {}\n'.repeat(30_000)}`,
    ]) {
      const faults = faultsOf(text)
      expect(faults.length).toBeGreaterThan(0)
      expect(faults.length).toBeLessThanOrEqual(50)
    }
  })

  test('JSON is YAML', () => {
    expect(faultsOf('{"version":1,"rules":[{"name":"a","effect":"deny"}]}')).toEqual([])
  })
})

test('the JSON Schema for editors is that of the reader', () => {
  const file = new URL('../../../../manifests/schemas/tool-policy.schema.json', import.meta.url)
  const schema = policyJsonSchema()
  if (process.env['UPDATE_GOLDEN'] === '1') {
    writeFileSync(file, `${JSON.stringify(schema, null, 2)}\n`)
  }
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(schema)
})
