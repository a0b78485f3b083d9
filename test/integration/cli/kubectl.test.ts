import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { generateManifest } from '../../support/manifest-generator.ts'
import { tryManifests } from '../../support/manifest-trial.ts'
import { readManifest } from '../../../cli/manifest/read-manifest.ts'
import { decodeSource } from '../../../cli/command/source.ts'
import type { Json } from '../../../shared/json.ts'
import {
  canonical,
  kubectlReader,
  type KubectlReader,
  type Reading,
} from '../../support/kubectl-reader.ts'

let kubectl: KubectlReader
beforeAll(() => {
  kubectl = kubectlReader()
})
afterAll(() => kubectl.close())

const OPTIONS = { file: 'f', namespace: 'default', namespaces: [] }

/** What Outrigger reads; a text when it refuses. */
const read = (manifest: string | Buffer): readonly Json[] | string => {
  const source = decodeSource(Buffer.from(manifest))
  if (!source.ok) return source.error
  const read = readManifest(source.value.text, OPTIONS)
  return read.ok ? read.value.documents.map(({ value }) => value) : read.error.join('\n')
}

// What kubectl itself leaves out in silence, or would read otherwise than others, is refused.
const SCALARS = `
y Y n N yes Yes YES yEs no No NO on On ON oN off Off OFF true True TRUE tRue false False FALSE
~ null Null NULL nUll = . .. ... -- + .inf .Inf .INF +.inf -.inf .nan .NaN .NAN .Nan NaN inf
0 -0 +0 00 007 08 09.5 0400 0644 -0400 +0400 0o400 0O17 0o8 0b11 0B11 0b12 -0b11 0b-11 0b+11 -0b-1 0x1F 0XFF 0x 0b 0o
1_000 1__0 _1 1_ 0_8 0_7 0x_f 0b1_1 0777_7 1.5 1. .5 +.5 -.5e1 .1_0 .1__0 ._1 .e1 .5e 1e3 1E3 12e03 1e+3 1e-7 1e21 1e 0.e5
1:30 190:20:30 1:30.5 2001-01-01 2001-1-1 2001-12-14t21:59:43.10-05:00 1E400 -1E400 .5E400
9007199254740993 9223372036854775807 9223372036854775808 -9223372036854775809 18446744073709551615 18446744073709551616
123456789012345678901234567890 -0.0 1.0 100.0 1.7976931348623157e308 5e-324 <<
!!str\u00a0yes !!bool\u00a0yes !!int\u00a00400 !!float\u00a01 !!null\u00a0~ !!binary\u00a0aGk= !!timestamp\u00a02001-01-01 !foo\u00a05 !\u00a05
!!str\u00a0~ !!int\u00a0"5" !!float\u00a0"1.5" !<tag:yaml.org,2002:int>\u00a07 'yes' "no" '0400' "" ''
`
  .trim()
  .split(/[ \n]+/)
  .map((text) => text.replaceAll('\u00a0', ' '))

/** Where kubectl reads nothing, Outrigger must not either. */
const isTheSame = (own: readonly Json[] | string, { objects, error }: Reading): boolean =>
  error === undefined
    ? typeof own !== 'string' && canonical(own) === canonical(objects)
    : typeof own === 'string'

describe('a scalar is what it is to kubectl', () => {
  const texts = [...new Set(SCALARS)].flatMap((scalar) => [
    [scalar, `a: ${scalar}\n`],
    [`[${scalar}]`, `a: [${scalar}, x]\n`],
    [`a key ${scalar}`, `${scalar}: x\nzz: z\n`],
  ])

  test('in every spelling', () => {
    const readings = kubectl.read(texts.map(([, text = '']) => text))
    const differing = texts.flatMap(([name = '', text = ''], index) => {
      const reading = readings[index] ?? { objects: [], error: 'none' }
      return isTheSame(read(text), reading) ? [] : [{ name, own: read(text), ...reading }]
    })
    expect(differing).toEqual([])
  })
})

const UTF16 = Buffer.from('\ufeffkind: é\n', 'utf16le')
const BOMB = [0, 1, 2, 3, 4, 5, 6, 7, 8].map(
  (n) => `a${n + 1}: &a${n + 1} [${Array(9).fill(`*a${n}`).join()}]`,
)

describe('a manifest holds what it does for kubectl', () => {
  test.each<[string, string | Buffer]>([
    ['nothing', ''],
    ['comments alone', '# a\n---\n# b\n'],
    ['an explicit null', '---\n~\n---\na: 1\n'],
    ['documents, one marked with a comment', 'a: 1\n---\nb: 2\n--- # c\nc: 3\n'],
    ['separators one after another', '---\n---\na: 1\n---\n---\n---\nb: 1\n'],
    ['a document end', 'a: 1\n...\n---\nb: 2\n...\n'],
    [
      'Windows line ends',
      'a: |\r\n  x\r\n  y\r\nb: "p\r\n  q"\r\nc: >-\r\n  r\r\n  s\r\n---\r\nd: e\r\n',
    ],
    ['line ends of old Macs', 'a: b\rc: d\r'],
    ['the line ends of YAML 1.1', 'a: b\u0085c: d\u2028e: f\u2029g: h\n'],
    ['JSON objects one after another', '{"a":1}{"b":2}\n{"c":3}\n'],
    ['JSON, then YAML', '{"a":1}\n---\nb: yes\n---\n{"c": yes}\n'],
    ['flow style that is no JSON', '{a: yes, b: [0400, x]}\n'],
    [
      'JSON with every escape',
      '{"a":"\\u00e9\\n\\/\\"\\\\ \\ud83d\\ude00","b":[1e3,-0.5,1E+2,true,null]}',
    ],
    ['JSON in tabs', '{\n\t"a": [\n\t\t1,\n\t\t{"b": {}}\n\t]\n}\n'],
    ['a key that is very long', `{"${'k'.repeat(3000)}":1}`],
    ['a mark of UTF-8', '\ufeffa: 1\n'],
    ['UTF-16, little end first', UTF16],
    ['UTF-16, big end first', Buffer.from(UTF16).swap16()],
    ['an anchor used 150 times', `a: &a {b: [1, 2]}\nc:\n${'  - *a\n'.repeat(150)}`],
    ['an anchor given twice', 'a: &x 1\nb: *x\nc: &x 2\nd: *x\n'],
    ['an anchor within another of its name', 'a: &x [&x 1, *x]\nb: *x\n'],
    ['an alias for a key', 'a: &x k\n*x : v\n'],
    ['a merge first', 'a: &x {b: 1, c: 2}\nd: {<<: *x, b: 3}\n'],
    ['a merge last, which overrules', 'a: &x {b: 1, c: 2}\nd: {b: 3, <<: *x}\n'],
    ['a merge of several', 'a: &x {b: 1}\nd: &y {b: 2, c: 3}\ne: {<<: [*x, *y, {f: 1}], g: 1}\n'],
    ['merges one after another', 'a: &x {b: 1}\nd: {<<: *x, <<: {b: 4}, e: 1}\n'],
    ['a merge of a merge', 'a: &x {b: 1}\nc: &y {<<: *x, d: 2}\ne: {<<: *y}\n'],
    ['quoted merge signs', "a: {'<<': {b: 1}}\n"],
    ['names of prototypes', '__proto__: {a: 1}\nconstructor: b\n'],
    ['keys without values', 'a:\nb: {c, d: }\ne:\n  -\n  - f:\n'],
    ['keys with question marks', '? a\n: b\n? |\n  long\n: - c\n? d\n'],
    ['lists in lists', 'a:\n- - 1\n  - 2\n-   - 3\n'],
    ['pairs of a flow list', 'a: [b: 1, ? c : 2, d]\n'],
    [
      'block scalars of every kind',
      'a: |\n x\n\nb: |-\n x\n\nc: |+\n x\n\nd: >\n x\n y\n\n z\ne: |2\n   x\n',
    ],
    ['a block scalar that ends with the text', 'a: |\n  x'],
    ['quoted text over lines', 'a: "x\n  y\\\n  z\n\n  w"\nb: \'p\n  q\'\n'],
    ['plain text over lines', 'a: x\n  y\n\n  z\nb: c\n'],
    ['signs within plain text', 'a: b#c\nd: e:f\ng: -h\ni: [j:k, l]\n'],
  ])('%s', (_name, manifest) => {
    const [reading] = kubectl.read([manifest])
    expect(read(manifest)).toEqual(reading?.objects)
    expect(reading?.error).toBeUndefined()
  })

  test.each<[string, string | Buffer, RegExp]>([
    [
      'a byte of Latin-1',
      Buffer.from('a: 1\nb: \u00e9\n', 'latin1'),
      /^line 2, column 4: the byte 0xe9 is no UTF-8/,
    ],
    [
      'half a character of UTF-16',
      Buffer.from([0xff, 0xfe, 0x61, 0, 0x3a]),
      /^line 1, column 2: .* is no UTF-16LE/,
    ],
    ['UTF-16 without a mark', Buffer.from('a: 1\n', 'utf16le'), /line 1: the character U\+0000/],
    ['a mark within', 'a: 1\n\ufeffb: 2\n', /line 2: the character U\+FEFF/],
    [
      'an alias of nothing',
      'a: 1\nb: *x\n',
      /^f: document 1: line 2: \*x cannot be resolved: nothing/,
    ],
    [
      'a circular alias',
      'a: 1\nb: &x\n  c: *x\n',
      /^f: document 1: line 3: \*x cannot be resolved: it stands inside/,
    ],
    [
      'a bomb',
      `a0: &a0 [x]\n${BOMB.join('\n')}\n`,
      /^f: document 1: line \d+: aliases multiply too much/,
    ],
    ['a key twice', 'a: 1\n---\nb: 1\nb: 2\n', /^f: document 2: line 4: the key "b" stands twice/],
    ['a key twice in other words', 'yes: 1\ntrue: 2\n', /line 2: the key "true" stands twice/],
    ['a key twice in JSON', '{"a":1,\n"a":2}', /line 2: the key "a" stands twice/],
    ['a null for a key', '~: 1\n', /line 1: a key that is no text/],
    ['an infinity', 'a: 1\nb: .inf\n', /line 2: JSON has no such number/],
    ['a number of JSON that is too large', '{"a":1}\n{"b":\n1E400}', /document 2: line 3: 1E400/],
    ['a directive', '%YAML 1.2\n---\na: 1\n', /line 1: kubectl takes no directives/],
    [
      'what kubectl leaves out behind a document end',
      'a: 1\n...\nb: 2\n',
      /line 3: kubectl leaves out/,
    ],
    ['what kubectl leaves out behind a map', '{a: 1}\n{b: 2}\n', /line 2/],
    [
      'a document of an end alone',
      '{"a":1}\n...\n',
      /document 2: line 2: nothing stands before this/,
    ],
    ['text behind a separator', 'a: 1\n--- b: 2\n', /^f: line 2: only a comment/],
    [
      'YAML behind several JSON objects',
      '{"a":1}\n{"b":2}\n---\nc: 3\n',
      /^f: line 3: behind several JSON objects/,
    ],
    ['a merge of text', 'a: {<<: b}\n', /line 1: << takes a map/],
    ['brackets in brackets', `a: ${'['.repeat(20_000)}`, /line 1: nested deeper than 500 levels/],
    [
      'dashes in dashes',
      `a:\n${Array.from({ length: 2000 }, (_, n) => `${' '.repeat(n)}-`).join('\n')}\n`,
      /nested deeper/,
    ],
  ])('%s is refused with its place', (_name, manifest, reason) => {
    expect(read(manifest)).toMatch(reason)
  })
})

// The seeds of the generated manifests; others are as good.
const SEEDS = Array.from({ length: 1000 }, (_, index) => index)

describe('inject and uninject, on manifests of every spelling and style', () => {
  test('change nothing else for kubectl, judge what it reads, and give the bytes back or say which not', () => {
    const { problems, injected, whole } = tryManifests(SEEDS, generateManifest, kubectl)
    expect(problems).toEqual([])
    // The manifests are worth trying: many are injected, and most of those come back whole.
    expect(injected).toBeGreaterThan(SEEDS.length / 3)
    expect(whole).toBeGreaterThan(injected / 2)
  })
})
