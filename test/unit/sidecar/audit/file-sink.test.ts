// Audit files on a real disk: what an instance finds of the one before, when a new file begins, and what is kept.

import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { Chain, digest, membersOf } from '../../../../shared/audit/chain.ts'
import { FileSink } from '../../../../sidecar/audit/file-sink.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'audit-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const chain = () => new Chain({ instance: 'one', server: 'local', prev: '' })
const line = (own: Chain): Buffer =>
  Buffer.from(own.line(membersOf({ event: 'process-start', process: 1 }), 0))

const path = (): string => join(dir, 'audit.jsonl')
const open = (more: { maxFileBytes?: number; keepBytes?: number; waits?: boolean } = {}) =>
  FileSink.open(
    {
      path: path(),
      maxFileBytes: 1000,
      maxFileAgeMs: 60_000,
      keepBytes: 1e6,
      waits: true,
      now: () => performance.now(),
      ...more,
    },
    Date.now(),
  )

test('an empty folder has nothing before; the file is its owner’s alone', async () => {
  const { sink, before } = await open()
  await sink.close()
  expect([before, readdirSync(dir)]).toEqual([undefined, ['audit.jsonl']])
})

test.each([
  ['whole', '', undefined],
  ['torn', '{"v":1,"inst', { bytes: 12, hash: digest('{"v":1,"inst') }],
])('the next instance finds the last record of a file that is %s', async (_what, rest, torn) => {
  const own = chain()
  writeFileSync(path(), Buffer.concat([line(own), line(own), Buffer.from(rest)]))
  const { sink, before } = await open()
  await sink.write(Buffer.from('next\n'))
  await sink.close()
  expect(before).toEqual({ ...own.last, ...(torn && { torn }) })
  expect(readFileSync(path(), 'utf8').split('\n').slice(2)).toEqual(
    torn ? [rest, 'next', ''] : ['next', ''],
  )
})

test('of a file that was begun and not written, the record before is in the newest full one', async () => {
  const own = chain()
  writeFileSync(`${path()}.2`, line(own))
  writeFileSync(`${path()}.10`, line(own))
  writeFileSync(`${path()}.old`, 'not ours')
  const { sink, before } = await open()
  await sink.close()
  expect(before).toEqual(own.last)
})

test('a full file gets the next number, and the oldest go beyond what is kept', async () => {
  const own = chain()
  // Larger than any disk's blocks, which are what is counted.
  const { sink } = await open({ maxFileBytes: 300_000, keepBytes: 900_000 })
  const rotations: unknown[] = []
  for (let count = 0; count < 6; count++) {
    const bytes = Buffer.concat([line(own), Buffer.alloc(270_000, '\n')])
    const rotated = await sink.rotate(bytes.length, Date.now())
    await sink.write(bytes)
    await rotated?.prune()
    rotations.push(rotated && { file: rotated.file, oldest: rotated.oldest })
  }
  await sink.close()
  expect(readdirSync(dir).toSorted()).toEqual([
    'audit.jsonl',
    'audit.jsonl.3',
    'audit.jsonl.4',
    'audit.jsonl.5',
  ])
  expect(rotations.slice(0, 2)).toEqual([
    undefined,
    { file: 'audit.jsonl.1', oldest: { instance: 'one', seq: 1 } },
  ])
  expect(rotations.at(-1)).toEqual({ file: 'audit.jsonl.5', oldest: { instance: 'one', seq: 3 } })
})

const openAtOnce = async () => {
  const clock = { nowMs: 0, stepMs: 0 }
  const now = (): number => (clock.nowMs += clock.stepMs)
  const { sink } = await FileSink.open(
    { path: path(), maxFileBytes: 1000, maxFileAgeMs: 60_000, keepBytes: 0, waits: true, now },
    Date.now(),
  )
  const { atOnce } = sink
  if (!atOnce) throw new Error('the temporary directory is on a file system of this machine')
  const takes = (bytes = 1, laterMs = 0): boolean => atOnce.takes(bytes, Date.now() + laterMs)
  return { sink, atOnce, clock, takes }
}

test('a write at once is not taken where a file has to be begun', async () => {
  const { sink, atOnce, takes } = await openAtOnce()
  const bytes = line(chain())
  expect([takes(), atOnce.write(bytes), takes()]).toEqual([true, bytes.length, true])
  expect([takes(1000), takes(1, 120_000)]).toEqual([false, false])
  await sink.close()
  expect(readFileSync(path())).toEqual(bytes)
})

test.each([
  ['one that is slow may be the kernel’s doing', [30], 0],
  ['so may be each that has a quick one behind it', [30, 1, 30, 1], 0],
  ['two in a row are the disk’s', [1, 30, 40], 50 * 40],
  ['so is one that takes much longer', [300], 50 * 300],
])('writes at once, %s', async (_what, tookMs, restMs) => {
  const { sink, atOnce, clock, takes } = await openAtOnce()
  for (const ms of tookMs) {
    clock.stepMs = ms
    atOnce.write(Buffer.from('x'))
  }
  clock.stepMs = 0
  expect(takes()).toBe(restMs === 0)
  clock.nowMs += Math.max(restMs - 1, 0)
  expect(takes()).toBe(restMs === 0)
  clock.nowMs += 1
  expect(takes()).toBe(true)
  await sink.close()
})

test('an old file is followed by a new one; one that is empty is never old', async () => {
  const { sink } = await open()
  const later = Date.now() + 120_000
  expect(sink.rotate(1, later)).toBeUndefined()
  await sink.write(line(chain()))
  expect(await sink.rotate(1, later)).toMatchObject({ file: 'audit.jsonl.1' })
  await sink.close()
})

test('a file that is taken away is begun anew', async () => {
  const { sink } = await open()
  await sink.write(line(chain()))
  renameSync(path(), join(dir, 'elsewhere'))
  expect(await sink.look(Date.now() + 2000)).toContain('moved, removed or replaced')
  await sink.write(Buffer.from('next\n'))
  appendFileSync(join(dir, 'elsewhere'), '')
  expect(await sink.look(Date.now() + 4000)).toBeUndefined()
  await sink.close()
  expect(readFileSync(path(), 'utf8')).toBe('next\n')
})

test('what has a number and holds no records is neither overwritten nor taken away', async () => {
  const { sink } = await open({ maxFileBytes: 300, keepBytes: 0 })
  const own = chain()
  mkdirSync(`${path()}.7`)
  writeFileSync(`${path()}.999999999999999`, 'not ours')
  for (let count = 0; count < 3; count++) {
    const bytes = line(own)
    const rotated = await sink.rotate(bytes.length, Date.now())
    await sink.write(bytes)
    await rotated?.prune()
    writeFileSync(`${path()}.${10 ** 15 + count}`, 'not ours')
  }
  await sink.close()
  expect(readdirSync(dir).toSorted()).toEqual([
    'audit.jsonl',
    'audit.jsonl.1000000000000000',
    'audit.jsonl.1000000000000001',
    'audit.jsonl.1000000000000002',
    'audit.jsonl.7',
    'audit.jsonl.999999999999999',
  ])
})

test('where no number is left nothing is overwritten, and it says so', async () => {
  const { sink } = await open({ maxFileBytes: 300 })
  await sink.write(line(chain()))
  writeFileSync(`${path()}.${Number.MAX_SAFE_INTEGER}`, 'not ours')
  await expect(sink.rotate(1000, Date.now())).rejects.toThrow('no number is left')
  await sink.close()
})

test.each<[string, string]>([
  ['another text', 'name,amount\nada,3\n'],
  ['another text without a line end', 'x'],
  ['JSON lines of another kind', '{"level":"info"}\n'],
  ['one line that is no record, with its end', '{"v":1,"instance":"one"}\n'],
])('nothing is added to a file that holds %s', async (_what, text) => {
  writeFileSync(path(), text)
  await expect(open()).rejects.toThrow('something else than audit records')
  expect([readFileSync(path(), 'utf8'), readdirSync(dir)]).toEqual([text, ['audit.jsonl']])
})

test('a first line that was never whole is begun anew', async () => {
  writeFileSync(path(), '{"v":1,"inst')
  const { sink, before } = await open()
  await sink.write(Buffer.from('next\n'))
  await sink.close()
  expect([before, readFileSync(path(), 'utf8')]).toEqual([undefined, 'next\n'])
})

test('behind a full file, a first line that was never whole stays, and is named', async () => {
  const own = chain()
  writeFileSync(`${path()}.1`, line(own))
  writeFileSync(path(), '{"v":1,"inst')
  const { sink, before } = await open()
  await sink.close()
  expect(before).toEqual({ ...own.last, torn: { bytes: 12, hash: digest('{"v":1,"inst') } })
})

test('a line that is torn gets its end together with the next record, never alone', async () => {
  writeFileSync(path(), Buffer.concat([line(chain()), Buffer.from('{"v":1,')]))
  const first = await open()
  await first.sink.close()
  const second = await open()
  await second.sink.close()
  expect([first.before, readFileSync(path(), 'utf8').endsWith('{"v":1,')]).toEqual([
    second.before,
    true,
  ])
})

test('a pipe that somebody has put there is refused at once, with a reader and without', async () => {
  execFileSync('mkfifo', [path()])
  await expect(open()).rejects.toThrow('ENXIO')
  const reader = openSync(path(), constants.O_RDONLY | constants.O_NONBLOCK)
  await expect(open()).rejects.toThrow('it is no regular file')
  closeSync(reader)
})

test('a link that somebody has put there is not followed', async () => {
  symlinkSync(join(dir, 'target'), path())
  await expect(open()).rejects.toThrow('ELOOP')
})

test('where records may be lost a thread does all writes: a disk that hangs holds nobody up', async () => {
  const { sink } = await open({ waits: false })
  expect(sink.atOnce).toBeUndefined()
  await sink.close()
})
