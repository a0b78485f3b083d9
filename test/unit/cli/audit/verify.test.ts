// `outrigger audit verify` on real files: what it prints, and its exit code.

import { generateKeyPairSync } from 'node:crypto'
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { audit } from '../../../../cli/audit/command.ts'
import { KEYS, makeFolder } from '../../../support/audit-files.ts'
import { chanceOf } from '../../../support/chance.ts'

const SEED = 13
const folder = makeFolder(chanceOf(SEED))
const LOG = [
  '{"level":"info"}',
  ...folder.checkpoints.map((one) => `2026 stdout F ${JSON.stringify(one)}`),
]

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'audit-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const write = (name: string, text: string | Buffer): string => {
  const file = join(dir, name)
  writeFileSync(file, text)
  return file
}

/** The files under names that say nothing of their order. */
const written = (): string[] =>
  folder.files.map((lines, index) =>
    write(`${(index * 7) % 10}-${index}`, lines.map(({ text }) => `${text}\n`).join('')),
  )

const run = async (...args: string[]) => {
  let [out, err] = ['', '']
  const code = await audit.run(['verify', ...args], {
    stdout: (text) => (out += String(text)),
    stderr: (text) => (err += text),
    log: () => undefined,
    written: () => Promise.resolve(true),
    isTerminal: () => false,
    environment: {},
    signal: new AbortController().signal,
  })
  return { code, out: out.replaceAll(dir, ''), err: err.replaceAll(dir, '') }
}

const checkpoints = (): string => write('stdout.log', LOG.join('\n'))
const pem = (key = KEYS.publicKey): string =>
  write('key.pem', key.export({ type: 'spki', format: 'pem' }))

test('a folder of files, with what is whole in it and what is not', async () => {
  const all = written()
  const logs = mkdtempSync(join(tmpdir(), 'audit-log-'))
  const log = join(logs, 'stdout.log')
  writeFileSync(log, LOG.join('\n'))
  const whole = await run(dir, '--checkpoints', log)
  rmSync(all[1] ?? '')
  const cut = await run(dir, '--checkpoints', log)
  mkdirSync(join(dir, 'sub'))
  linkSync(all[0] ?? '', join(dir, '.hidden'))
  const hidden = await run(dir, '--checkpoints', log)
  rmSync(logs, { recursive: true })
  expect(whole.out).toMatch(/^\d+ records, all as they were written, \d+ checkpoints agree/)
  expect([whole.code, cut.code]).toEqual([0, 1])
  expect(hidden.out).toBe(cut.out)
})

test('whole files, in any order, with checkpoints that a key has signed', async () => {
  const files = written().toReversed()
  const { code, out } = await run(...files, '--checkpoints', checkpoints(), '--key', pem())
  expect(out).toMatch(/^\d+ records, all as they were written, \d+ checkpoints agree/)
  expect(code).toBe(0)
})

test('one checkpoint is told as one', async () => {
  const [one = {}] = folder.checkpoints
  const { out } = await run(...written(), '--checkpoints', write('one.log', JSON.stringify(one)))
  expect(out).toMatch(/^\d+ records, all as they were written, 1 checkpoint agrees/)
})

test('files that are cut are found by checkpoints, and without them their end is named as open', async () => {
  const [first = ''] = written()
  expect(folder.files.length).toBeGreaterThan(1)
  expect(await run(first)).toEqual({
    code: 0,
    out: expect.stringMatching(/ has no last record: .* \(--checkpoints tells\)\n$/),
    err: '',
  })
  const { code, out } = await run(first, '--checkpoints', checkpoints())
  expect([code, out]).toEqual([1, expect.stringMatching(/^\/0-0:\d+: record \d+ of .*: cut: /)])
})

test('a file that is given twice, by whatever names, is read once', async () => {
  const files = written()
  const [first = ''] = files
  linkSync(first, join(dir, 'the-same'))
  symlinkSync(first, join(dir, 'a-link'))
  const again = [first, join(dir, '.', 'the-same'), join(dir, 'a-link'), `${dir}/./the-same`]
  const once = await run(...files)
  expect(await run(...again, ...files)).toEqual(once)
  expect(once.code).toBe(0)
})

test('a last line that is not whole is named with its place, and is a finding where it has its end', async () => {
  const [begin = '', next = ''] = folder.files.flat().map(({ text }) => text)
  const rest = next.slice(0, -60)
  expect(await run(write('torn', `${begin}\n${rest}`))).toMatchObject({
    code: 0,
    out: expect.stringContaining('/torn:2: the last line is no whole record'),
  })
  expect(await run(write('ended', `${begin}\n${rest}\n`))).toMatchObject({
    code: 1,
    out: expect.stringMatching(/^\/ended:2: record 2 of .*: edited: /),
  })
})

test('bytes that are no UTF-8 are not taken for the text that they replace', async () => {
  const [line = ''] = folder.files.flat().map(({ text }) => text)
  const file = write('a', Buffer.from(`${line}\r\n`))
  expect((await run(file)).out).toContain('edited')
  const bytes = Buffer.from(`${line}\n`)
  bytes[bytes.length - 3] = 0xff
  expect((await run(write('b', bytes))).out).toContain('edited')
})

test.each<[string, () => readonly string[], number, string]>([
  ['no file', () => [], 2, 'say which files'],
  [
    'checkpoints without records',
    () => ['--checkpoints', checkpoints()],
    2,
    "say which files, all that there are, or their folder: audit verify FILE --checkpoints LOG. Of a container's log take the records out first",
  ],
  ['a key without checkpoints', () => ['a', '--key', pem()], 2, 'give that too'],
  ['a file that is not there', () => ['/nowhere'], 1, '/nowhere: there is no such file'],
  [
    'a log without checkpoints',
    () => ['a', '--checkpoints', write('l', 'x')],
    1,
    "/l: no line of it is a checkpoint: name the sidecar's own output, which gets one each minute and at its end\n",
  ],
  [
    'records in the place of checkpoints',
    () => ['a', '--checkpoints', write('l', `ready\n${folder.files.flat()[0]?.text ?? ''}\nx\n`)],
    1,
    "and at its end. It holds records: those are named without --checkpoints. Of a container's log take the records out first",
  ],
  [
    'a checkpoint of another key',
    () => [
      ...written(),
      '--checkpoints',
      checkpoints(),
      '--key',
      pem(generateKeyPairSync('ed25519').publicKey),
    ],
    1,
    'stdout.log:2: this checkpoint was not signed by the key',
  ],
  [
    'a key of another kind',
    () => ['a', '--checkpoints', 'b', '--key', pem(generateKeyPairSync('x25519').publicKey)],
    1,
    'it is no Ed25519 key',
  ],
])('%s: says so', async (_name, args, code, words) => {
  const found = await run(...args())
  expect([found.code, found.err]).toEqual([code, expect.stringContaining(words)])
})

test("a container's log is no file of records, and how to make one of it is said", async () => {
  const records = (folder.files[0] ?? []).map(({ text }) => `${text}\n`)
  const lines = ['{"time":"t","level":"warn","message":"m"}\n', ...records]
  const { code, out } = await run(write('log', lines.join('')))
  expect([code, out]).toEqual([
    1,
    expect.stringMatching(
      /^\/log:1: record \d+ of .*: inserted: a line that is no record stands before it\. Of a container's log take the records out first: grep '\^\{"v":1,' LOG > records\.jsonl\n$/,
    ),
  ])
  const taken = lines.filter((line) => line.startsWith('{"v":1,'))
  expect(taken).toEqual(records)
  expect((await run(write('records.jsonl', taken.join('')))).code).toBe(0)
})

test.each<[string, () => string, string]>([
  [
    'standard input',
    () => '-',
    `standard input is read once, and records are read twice: name files. Of a container's log take the records out first: grep '^{"v":1,' LOG > records.jsonl`,
  ],
  ['a pipe or a device', () => '/dev/null', 'it is no file, and records are read twice'],
  ['an empty file', () => write('empty', ''), 'there is no record: nothing can be said'],
])('of %s nobody says that it is whole', async (_name, given, says) => {
  const { code, out, err } = await run(given())
  expect([code, out, err]).toEqual([1, '', expect.stringContaining(says)])
})
