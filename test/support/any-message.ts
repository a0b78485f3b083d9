// JSON-RPC messages of every shape, as templates: arbitrary members in any order, spelling and white space, with holes where an
// id, a progress token or a subscription's id stands. What the bridge is to make of one is the same template with other words in
// its holes, so that it takes nothing of the bridge's own reading to say what is right.

import * as fc from 'fast-check'

export type Words = Readonly<Record<string, string>>

/** The text, with these words in its holes. */
export type Template = (words: Words) => string

/** A place whose words are told later. */
const hole =
  (name: string): Template =>
  (words) =>
    words[name] ?? ''

const gap = fc.constantFrom('', '', '', ' ', '\t', '  ')

const escaped = (value: string): string =>
  Array.from(
    { length: value.length },
    (_, at) => `\\u${value.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('')

/** A string in one of its spellings. Halves of surrogate pairs stand there as escapes: UTF-8 has no other way. */
const stringText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }).map((value) => JSON.stringify(value)),
  fc.string({ unit: 'grapheme-ascii', maxLength: 12 }).map((value) => JSON.stringify(value)),
  fc.string({ unit: 'binary', maxLength: 4 }).map((value) => `"${escaped(value)}"`),
  fc.constantFrom('"\\ud800"', '"$&"', '"\\/"', '"101"', '"\\u0031"', '"__proto__"', '"}"', '"]"'),
)

/** A number in one of its spellings, also one that no double holds. */
const numberText: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(fc.nat(200).map(String), fc.bigInt({ min: 0n, max: 10n ** 30n }).map(String)),
    fc.constantFrom('', '', '.0', '.50', '.000000000000000000001'),
    fc.constantFrom('', '', 'e0', 'E+2', 'e-7', 'e999'),
  )
  .map((parts) => parts.join(''))

/** What MCP has ids and tokens be. */
export const identifierText: fc.Arbitrary<string> = fc.oneof(stringText, numberText)

/** Names that somebody looks for in other places, and some over which readers stumble. */
const DEEP_NAMES = ['id', 'progressToken', 'requestId', '_meta', 'result', 'method', '__proto__', 'toString', '', 'é', '$1', '😀'] // prettier-ignore
/** Names that nobody knows, beside those that are known. */
const OTHER_NAMES = ['x', '__proto__', 'constructor', '', 'é', '$1', '😀', 'ids', 'x/y']

type Member = readonly [name: string, value: Template]

const objectOf = (members: fc.Arbitrary<readonly Member[]>): fc.Arbitrary<Template> =>
  fc.tuple(members, gap, gap).map(
    ([all, before, after]): Template =>
      (words) =>
        `{${before}${all.map(([name, value]) => `${JSON.stringify(name)}${after}:${before}${value(words)}`).join(`${after},${before}`)}${after}}`,
  )

const membersOf = (
  names: readonly string[],
  value: fc.Arbitrary<Template>,
): fc.Arbitrary<readonly Member[]> =>
  fc.uniqueArray(fc.tuple(fc.constantFrom(...names), value), {
    selector: ([name]) => name,
    maxLength: 4,
  })

const { anything } = fc.letrec<{ anything: Template }>((tie) => ({
  anything: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(stringText, numberText, fc.constantFrom('null', 'true', 'false')).map(
      (text): Template =>
        () =>
          text,
    ),
    objectOf(membersOf(DEEP_NAMES, tie('anything'))),
    fc.tuple(fc.array(tie('anything'), { maxLength: 3 }), gap).map(
      ([items, space]): Template =>
        (words) =>
          `[${space}${items.map((item) => item(words)).join(`${space},`)}${space}]`,
    ),
  ),
}))

/** Members that have to be there, among some that nobody knows, in any order. */
const withOthers = (needed: fc.Arbitrary<readonly Member[]>): fc.Arbitrary<Template> =>
  objectOf(
    fc.tuple(needed, membersOf(OTHER_NAMES, anything)).chain(([some, others]) => {
      const all = [...some, ...others]
      return fc.shuffledSubarray(all, { minLength: all.length })
    }),
  )

const text =
  (value: string): Template =>
  () =>
    value

const VERSION: Member = ['jsonrpc', text('"2.0"')]

const single = (name: string, value: fc.Arbitrary<Template>): fc.Arbitrary<readonly Member[]> =>
  value.map((template) => [[name, template]])

const envelope = (
  own: readonly Member[],
  body: fc.Arbitrary<readonly Member[]>,
): fc.Arbitrary<Template> => withOthers(body.map((members) => [VERSION, ...own, ...members]))

/** Parameters in whose `_meta` stands a hole. */
const withMeta = (name: string): fc.Arbitrary<Template> =>
  withOthers(single('_meta', withOthers(fc.constant<readonly Member[]>([[name, hole(name)]]))))

/** A request with the holes `id` and `progressToken`. */
export const requestTemplate = (method: string): fc.Arbitrary<Template> =>
  envelope(
    [
      ['id', hole('id')],
      ['method', text(JSON.stringify(method))],
    ],
    single('params', withMeta('progressToken')),
  )

/** Progress with the hole `progressToken`. */
export const progressTemplate: fc.Arbitrary<Template> = envelope(
  [['method', text('"notifications/progress"')]],
  single(
    'params',
    withOthers(
      fc.constant<readonly Member[]>([
        ['progressToken', hole('progressToken')],
        ['progress', text('1')],
      ]),
    ),
  ),
)

/** A notification to a subscription, with the hole of its id's name. */
export const subscribedTemplate = (method: string, name: string): fc.Arbitrary<Template> =>
  envelope([['method', text(JSON.stringify(method))]], single('params', withMeta(name)))

/** A result or an error with the hole `id`. */
export const responseTemplate: fc.Arbitrary<Template> = fc.oneof(
  envelope([['id', hole('id')]], single('result', withOthers(fc.constant([])))),
  envelope(
    [['id', hole('id')]],
    single(
      'error',
      withOthers(
        fc.constant<readonly Member[]>([
          ['code', text('-32602')],
          ['message', text('"no"')],
        ]),
      ),
    ),
  ),
)
