import { describe, expect, test } from '@jest/globals'
import { readArguments } from '../../../../shared/policy/arguments.ts'
import { claimsOf, Conditions, Given } from '../../../../shared/policy/condition.ts'

const PRINCIPAL = new Map<string, string | readonly string[]>([
  ['issuer', 'https://idp.example'],
  ['subject', 'alice'],
  ['groups', ['staff']],
  ['scopes', []],
  ['roles', []],
])
const CALL = { method: 'tools/call', target: { kind: 'tools', name: 'transfer' } }

const given = (principal = PRINCIPAL) => new Given(claimsOf(principal), CALL)

const holds = (source: string, json = '{}') => {
  const read = new Conditions().read(source)
  if (!read.ok) return read.error.map(({ message }) => message).join('; ')
  const verdict = read.value.holds(given(), () => readArguments(json))
  return verdict.kind === 'failed' ? `failed: ${verdict.why}` : verdict.kind
}

describe('a condition', () => {
  test.each([
    ['tool == "transfer"', '{}', 'holds'],
    ['method == "tools/list"', '{}', 'not'],
    ['"staff" in principal.groups', '{}', 'holds'],
    ['arguments.amount <= 100', '{"amount":100}', 'holds'],
    ['arguments.amount <= 100', '{"amount":100.5}', 'not'],
    ['arguments.amount <= 100', '{"amount":1e300}', 'not'],
    ['arguments.id == 9007199254740993', '{"id":9007199254740993}', 'holds'],
    ['arguments.id == 9007199254740993', '{"id":9007199254740992}', 'not'],
    ['arguments.path.startsWith("/pub/")', '{"path":"/pub/a"}', 'holds'],
    ['arguments.host.lowerAscii().endsWith(".example")', '{"host":"A.EXAMPLE"}', 'holds'],
    ['arguments.path.matches("^/[a-z]+$")', '{"path":"/abc"}', 'holds'],
    ['arguments.rows.all(row, row.id > 0)', '{"rows":[{"id":1},{"id":2}]}', 'holds'],
    ['has(arguments.dry_run) && arguments.dry_run', '{}', 'not'],
    ['tool == "transfer" && arguments.Transfer == 1', '{"Transfer":1}', 'holds'],
    [
      '"staff" in principal.groups && arguments.kind == "File"',
      '{"Staff":1,"kind":"File"}',
      'holds',
    ],
    ['int(arguments.a) == -5 && uint(arguments.b) == 7u', '{"a":"-5","b":"7"}', 'holds'],
    ['arguments.a.contains(arguments.b)', '{"a":"xyz","b":"yz"}', 'holds'],
    ['arguments["constructor"] == 1', '{"constructor":1}', 'holds'],
    ['!has(arguments.toString)', '{}', 'holds'],
    ['principal.subject == "аlice"', '{}', 'not'],
  ])('%s over %s: %s', (source, json, expected) => {
    expect(holds(source, json)).toBe(expected)
  })

  test.each([
    ['a member that is not there', 'arguments.amount <= 100', '{}'],
    ['another type', 'arguments.amount <= 100', '{"amount":"1"}'],
    ['a name in another case', '!has(arguments.path) || arguments.path == "a"', '{"Path":"b"}'],
    ['one beside it', 'arguments.path == "a"', '{"path":"a","PATH":"b"}'],
    ['one that is deeper', 'arguments["a"].kind == "b"', '{"a":{"kind":"b","\u212Aind":"c"}}'],
    ['one that is asked for by in', '!("force" in arguments)', '{"Force":true}'],
    ['one that a loop looks for', '!arguments.exists(name, name == "force")', '{"FORCE":true}'],
    ['one of a list', 'arguments.all(name, !(name in ["a", "b"]))', '{"A":1}'],
    ['no boolean', 'arguments.amount', '{"amount":1}'],
    ['a claim that nobody knows', 'principal.client == "x"', '{}'],
    ['arguments that are no object', 'arguments.a == 1', '[1]'],
    [
      'a text that is too long for a pattern',
      'arguments.a.matches("a")',
      `{"a":"${'a'.repeat(70_000)}"}`,
    ],
    [
      'too many turns',
      'arguments.a.all(x, arguments.a.exists(y, x == y))',
      `{"a":[${'1,'.repeat(500)}1]}`,
    ],
    ['too long a list', 'arguments.a.map(x, x + 1).size() > 0', `{"a":[${'1,'.repeat(19_000)}1]}`],
    [
      'a list made longer',
      '(arguments.a + arguments.a + arguments.a).all(x, x > 0)',
      `{"a":[${'1,'.repeat(9000)}1]}`,
    ],
    [
      'a long text for each of many',
      'arguments.a.all(x, arguments.b.contains(x))',
      `{"a":[${'"y",'.repeat(5000)}"y"],"b":"${'x'.repeat(1_000_000)}"}`,
    ],
    ['more digits than a number has', 'int(arguments.a) > 0', `{"a":"${'9'.repeat(1_000_000)}"}`],
    ['the same, unsigned', 'uint(arguments.a) > 0u', `{"a":"${'9'.repeat(1_000_000)}"}`],
    ['a number of more than 64 bits', 'int(arguments.a) > 0', '{"a":"9223372036854775808"}'],
    ['one below zero, unsigned', 'uint(arguments.a) > 0u', '{"a":"-1"}'],
    [
      'several long texts in lower case',
      'arguments.a.lowerAscii() == arguments.b.upperAscii()',
      `{"a":"${'a'.repeat(2_000_000)}","b":""}`,
    ],
    ['wide comparisons', 'arguments.a.all(x, x in arguments.a)', `{"a":[${'1,'.repeat(500)}1]}`],
  ])('%s has failed', (_what, source, json) => {
    expect(holds(source, json)).toMatch(/^failed: /)
  })

  test.each([
    ['tol == "x"', 'there is no variable tol; did you mean tool?'],
    ['principal.gruops == []', 'a principal has no gruops; did you mean groups?'],
    [
      'arguments.a.startWith("x")',
      'there is no function startWith in conditions; did you mean startsWith?',
    ],
    ['tool.matches("(")', 'the pattern of matches() cannot be used: missing closing ): `(`'],
    ['tool.matches(arguments.p)', 'the pattern of matches() must stand there as a string'],
    [
      'tool.matches("a{1000}")',
      'the pattern of matches() cannot be used: it may have 256 characters, and repeat 99 times',
    ],
    ['tool ==', 'this is no CEL: = may not stand here'],
    ['', 'this is no CEL: end of input may not stand here'],
    ['google.protobuf.Value{} == 1', 'there is no type google.protobuf.Value'],
    ['a.all(x, true)', /^there is no variable a; /],
    ['[1].all(x, [1].all(y, [1].all(z, z > 0)))', 'loops may stand in each other 2 deep'],
    [`${'('.repeat(5000)}true${')'.repeat(5000)}`, 'it is nested too deeply'],
    [`true${' && true'.repeat(300)}`, 'it is too large: it may have 500 parts, 40 in each other'],
    [`${'!'.repeat(100)}(tool == "a" && true)`, /holds|not|too large/],
  ])('%s is told when the policy is read', (source, message) => {
    expect(holds(source)).toEqual(
      expect.stringMatching(typeof message === 'string' ? /./ : message),
    )
    if (typeof message === 'string') expect(holds(source)).toBe(message)
  })

  test('a text of a caller\u2019s is looked for in another in time that grows with both', () => {
    const [text, part] = ['ab'.repeat(1_000_000), `${'ab'.repeat(500_000)}c`]
    const json = (b: string) => JSON.stringify({ a: text, b })
    // The engine's own search takes twenty seconds for the first.
    expect(holds('arguments.a.contains(arguments.b)', json(part))).toBe('not')
    expect(holds('arguments.a.contains(arguments.b)', json('ba'.repeat(500_000)))).toBe('holds')
  })

  test('loops over claims count them', () => {
    const read = new Conditions().read('principal.groups.all(a, principal.groups.all(b, a != b))')
    const groups = Array.from({ length: 1000 }, (_, index) => `g${index}`)
    const many = given(new Map([['groups', groups]]))
    expect(read.ok && read.value.holds(many, undefined).kind).toBe('failed')
  })

  test('what all of them take together is bounded', () => {
    const read = new Conditions().read('arguments.a.contains(arguments.b)')
    const all = given()
    const args = () => readArguments(JSON.stringify({ a: 'a'.repeat(3_000_000), b: 'b' }))
    const kinds = Array.from({ length: 12 }, () => read.ok && read.value.holds(all, args).kind)
    expect([kinds.slice(0, 10).every((kind) => kind === 'not'), kinds.at(-1)]).toEqual([
      true,
      'failed',
    ])
  })

  test('one about arguments is open while nobody knows them', () => {
    const read = new Conditions().read('arguments.a == 1 && tool == "other"')
    expect(read.ok && read.value.holds(given(), undefined)).toEqual({ kind: 'open' })
  })

  test('the variable of a loop is no variable outside of it', () => {
    expect(holds('[1].all(x, x == 1) && x == 1')).toMatch(/^there is no variable x/)
  })

  test('patterns are bounded in number', () => {
    const conditions = new Conditions()
    const read = (index: number) => conditions.read(`tool.matches("a${index}")`)
    expect(Array.from({ length: 100 }, (_, index) => read(index).ok)).not.toContain(false)
    expect(read(100).ok).toBe(false)
    expect(read(1).ok).toBe(true)
  })
})
