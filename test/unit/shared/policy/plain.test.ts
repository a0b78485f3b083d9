// What is told of a condition without the library is what the library says of it, over many conditions and arguments; and
// what conditions mostly ask is told so.

import { describe, expect, test } from '@jest/globals'
import * as fc from 'fast-check'
import { readArguments } from '../../../../shared/policy/arguments.ts'
import { celPlanner, parseCel, Patterns } from '../../../../shared/policy/cel.ts'
import { plainOf } from '../../../../shared/policy/plain.ts'

const VARIABLES = {
  principal: new Map<string, string | readonly string[]>([
    ['issuer', 'https://idp'],
    ['subject', 'ada'],
    ['groups', ['ops', 'a']],
  ]),
  method: 'tools/call',
  tool: 'a',
  prompt: '',
  resource: '',
}

const evaluated = celPlanner(new Patterns())

/** By either; `failed` where the library says neither. */
const both = (source: string, json: string) => {
  const parsed = parseCel(source)
  const args = readArguments(json)
  if (!parsed.ok || !args.ok) throw new Error(`${source} over ${json}`)
  const found = evaluated(parsed.value)({ ...VARIABLES, arguments: args.value.value })
  const isTold = found.ok && typeof found.value === 'boolean'
  const plain = plainOf(parsed.value.expr)
  return {
    plain: plain?.({ variables: VARIABLES }, args.value),
    library: isTold ? found.value : 'failed',
  }
}

describe('is told without the library', () => {
  test.each([
    ['has(arguments.a)', '{"a":""}', true],
    ['has(arguments.a)', '{}', false],
    ['has(arguments.__proto__)', '{"a":1}', false],
    ['has(arguments.__proto__)', '{"__proto__":1}', true],
    ['!has(arguments.toString)', '{}', true],
    ['"constructor" in arguments', '{}', false],
    ['arguments.__proto__ == "x"', '{"__proto__":"x"}', true],
    ['has(arguments.a) && size(arguments.a) > 1', '{}', false],
    ['size(arguments.a) > 1 && has(arguments.a)', '{}', false],
    ['!has(arguments.a) || arguments.a < 1', '{}', true],
    ['arguments.a == "b"', '{"a":"b"}', true],
    ['arguments.a != "b"', '{"a":"b"}', false],
    ['"b" == arguments.a', '{"a":"B"}', false],
    ['arguments.a.startsWith("/x")', '{"a":"/x/y"}', true],
    ['arguments.a.endsWith(".y")', '{"a":"/x/y"}', false],
    ['arguments.a in ["b", "c"]', '{"a":"c"}', true],
    ['arguments.a in principal.groups', '{"a":"ops"}', true],
    ['arguments.a', '{"a":true}', true],
    ['!arguments.a', '{"a":true}', false],
    ['tool == "a" && method == "tools/call"', '{}', true],
    ['principal.subject == "ada" || principal.client == "x"', '{}', true],
    ['has(principal.client)', '{}', false],
  ])('%s over %s: %s', (source, json, expected) => {
    expect(both(source, json)).toEqual({ plain: expected, library: expected })
  })
})

test.each([
  ['what is not there', 'arguments.a == "b"', '{}'],
  ['a number', 'arguments.a == "b"', '{"a":1}'],
  ['two numbers', 'arguments.a == arguments.b', '{"a":1,"b":1.0}'],
  ['whether null is there', 'has(arguments.a)', '{"a":null}'],
  ['whether null is among them', '"a" in arguments', '{"a":null}'],
  ['null', 'arguments.a != "b"', '{"a":null}'],
  ['what is deeper', 'arguments.a.b == "c"', '{"a":{"b":"c"}}'],
  ['a loop', 'arguments.a.exists(x, x == "b")', '{"a":["b"]}'],
  ['a variable of a loop by the name of ours', '["x"].all(arguments, arguments == "x")', '{}'],
  ['a choice', 'arguments.a == "b" ? true : false', '{"a":"b"}'],
  ['a claim that nobody knows', 'principal.client == "x"', '{}'],
  ['no boolean', 'arguments.a', '{"a":"true"}'],
  ['one of two that is neither', 'has(arguments.a) && arguments.a', '{"a":1}'],
  ['all arguments', 'arguments == arguments', '{}'],
  ['a function of a text that is none', 'startsWith(tool, "a")', '{}'],
  ['another', 'endsWith(arguments.a, "b")', '{"a":"b"}'],
  ['a function of a text, of nothing', 'tool.startsWith()', '{}'],
  ['a function of a text, of two', 'tool.startsWith("a", "a")', '{}'],
])('is asked of the library: %s', (_what, source, json) => {
  expect(both(source, json).plain).toBeUndefined()
})

const NAMES = ['a', 'b', 'groups', '__proto__', 'toString', 'text']
const name = fc.constantFrom(...NAMES)
const text = fc.constantFrom('', 'a', 'ab', 'ops', 'ada', 'ſ', '😀', '\u0000')
const quoted = text.map((one) => JSON.stringify(one))

const value = fc.oneof(
  { weight: 3, arbitrary: name.map((one) => `arguments.${one}`) },
  { weight: 3, arbitrary: quoted },
  name.map((one) => `principal.${one}`),
  fc.constantFrom('tool', 'method', 'resource', 'arguments', 'principal', '1', 'true', 'null'),
  fc.array(quoted, { maxLength: 2 }).map((all) => `[${all.join(', ')}]`),
  name.map((one) => `arguments.${one}.${one}`),
  name.map((one) => `arguments["${one}"]`),
)

const { condition } = fc.letrec<{ condition: string }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    value,
    fc.tuple(value, fc.constantFrom('==', '!=', 'in', '<'), value).map((all) => all.join(' ')),
    fc
      .tuple(value, fc.constantFrom('startsWith', 'endsWith', 'contains'), value)
      .map(([one, method, other]) => `${one}.${method}(${other})`),
    fc
      .tuple(fc.constantFrom('startsWith', 'tool.endsWith'), fc.array(value, { maxLength: 3 }))
      .map(([called, all]) => `${called}(${all.join(', ')})`),
    fc
      .tuple(fc.constantFrom('arguments', 'principal'), name)
      .map(([root, one]) => `has(${root}.${one})`),
    tie('condition').map((one) => `!(${one})`),
    fc
      .tuple(tie('condition'), fc.constantFrom('&&', '||'), tie('condition'))
      .map(([one, by, other]) => `(${one}) ${by} (${other})`),
    fc
      .tuple(tie('condition'), tie('condition'))
      .map(([one, other]) => `(${one}) ? (${other}) : false`),
    tie('condition').map((one) => `["a"].all(tool, ${one})`),
  ),
}))

const json = fc
  .dictionary(
    name,
    fc.oneof(
      text,
      fc.boolean(),
      fc.constant(null),
      fc.integer(),
      fc.array(text, { maxLength: 2 }),
      fc.dictionary(name, text),
    ),
  )
  .map((one) => JSON.stringify(one))

test('never other than the library would', () => {
  let told = 0
  fc.assert(
    fc.property(condition, json, (source, args) => {
      const { plain, library } = both(source, args)
      if (plain === undefined) return
      told++
      expect({ source, args, is: plain }).toEqual({ source, args, is: library })
    }),
    { numRuns: 3000 },
  )
  expect(told).toBeGreaterThan(150)
})
