// 100,000 small mutations of valid server lines: an answer, or a failure, goes to the call that the line names and to no
// other, and where a line still names its request nobody waits for the timeout.

import { expect, test } from '@jest/globals'
import { chanceOf, type Chance } from '../../../support/chance.ts'
import { lineChannel } from '../../../support/line-channel.ts'

const ROUNDS = 100_000
/** No small change makes one of another. */
const IDS = [4711, 820_356, 99_184_402]
const [OURS = 0] = IDS
const SEED = 20_261_129

const RESULT = '{"content":[{"type":"text","text":"id: 1, \\"id\\": 2 \\u00e9 é"}],"isError":false}'

const LINES: readonly string[] = [
  `{"jsonrpc":"2.0","id":${OURS},"result":${RESULT}}`,
  `{"result":${RESULT},"jsonrpc":"2.0","id":${OURS}}`,
  `{"id":${OURS},"jsonrpc":"2.0","result":${RESULT},"error":null}`,
  `{ "jsonrpc": "2.0", "id": "${OURS}", "result": ${RESULT} }`,
  `{"jsonrpc":"2.0","id":${OURS},"error":{"code":-32602,"message":"no","data":{"a":[1,null,true]}}}`,
  `{"error":{"code":-32602,"message":"no"},"id":${OURS},"jsonrpc":"2.0"}`,
  `\ufeff{"jsonrpc":"2.0","id":${OURS}.0,"result":{}}`,
  `[{"jsonrpc":"2.0","id":${OURS},"result":{"a":1}}]`,
  `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":{"id":1}}}{"jsonrpc":"2.0","id":${OURS},"result":{}}`,
]

const SPLICED = Buffer.from(
  '{}[]",:\\\n\r\t \0-+.eE0123456789nulltruefalse\xff\xef\xbb\xbf\x80',
  'latin1',
)

type Mutation = (bytes: Buffer, at: number, random: Chance) => Buffer

const cut = (
  bytes: Buffer,
  at: number,
  length: number,
  middle: Uint8Array = Buffer.alloc(0),
): Buffer => Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(at + length)])

const MUTATIONS: readonly Mutation[] = [
  (bytes, at) => cut(bytes, at, 1),
  (bytes, at, random) => cut(bytes, at, 1 + random(4)),
  (bytes, at, random) => cut(bytes, at, 1, Buffer.of(random(256))),
  (bytes, at, random) => cut(bytes, at, 1, Buffer.of(SPLICED[random(SPLICED.length)] ?? 0)),
  (bytes, at, random) => cut(bytes, at, 0, Buffer.of(SPLICED[random(SPLICED.length)] ?? 0)),
  (bytes, at, random) => cut(bytes, at, 0, bytes.subarray(at, at + 1 + random(8))),
  (bytes, at) => bytes.subarray(0, at),
  (bytes, at) => cut(bytes, at, 2, Buffer.of(bytes[at + 1] ?? 0, bytes[at] ?? 0)),
]

/** What a person would say: a line of JSON-RPC, in which our number stands as its id. */
const NAMES = new RegExp(`"id"\\s*:\\s*(?:${OURS}(?:\\.0)?|"${OURS}")\\s*[,}]`)
const isNamed = (line: string): boolean =>
  NAMES.test(line.replaceAll('\0', '')) && /"(?:result|error)"\s*:/.test(line)

type Outcome = { readonly isNamed: boolean; readonly told: readonly number[] }

/** How much each of the calls hears when these bytes have been written and a second has passed. */
const outcomeOf = (bytes: Buffer): Outcome => {
  const lines = bytes.toString('latin1').split('\n')
  const { link, heard, wait } = lineChannel({ ids: IDS })
  for (const line of lines) link.writes(Buffer.from(line, 'latin1'))
  wait(1000)
  const told = heard.map(({ texts, faults }) => texts.length + faults.length)
  return { isNamed: lines.some(isNamed), told }
}

const isRight = ({ isNamed, told: [own, ...others] }: Outcome): boolean =>
  others.every((count) => count === 0) && (own === 1 || (own === 0 && !isNamed))

test('no mutation answers another call, or lets its own wait where it is named', () => {
  const random = chanceOf(SEED)
  const wrong: string[] = []
  let named = 0
  for (let round = 0; round < ROUNDS; round++) {
    const line = Buffer.from(LINES[random(LINES.length)] ?? '')
    const mutate = MUTATIONS[random(MUTATIONS.length)]
    const mutated = mutate?.(line, random(line.length), random) ?? line
    const outcome = outcomeOf(mutated)
    if (outcome.isNamed) named++
    if (!isRight(outcome)) {
      wrong.push(`${round}: ${outcome.told.join()} ${JSON.stringify(mutated.toString('latin1'))}`)
    }
  }
  expect(wrong.slice(0, 20)).toEqual([])
  // Most of them name their request all the same: the rule is not true of nothing.
  expect(named).toBeGreaterThan(ROUNDS / 2)
}, 120_000)
