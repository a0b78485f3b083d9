// One writer a file, whatever has become of the one before.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { FileLock } from '../../../../sidecar/audit/file-lock.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'audit-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const take = () => FileLock.take(join(dir, 'audit.jsonl'))
const path = (): string => join(dir, '.audit.jsonl.lock')
const textOfOurs = async (): Promise<string> => {
  const lock = await take()
  const text = readFileSync(path(), 'utf8')
  await lock.release()
  return text
}
/** As another process would have written it. */
const lockOf = (
  text: string,
  pid: string,
  start = '1',
  space = text.split(' ').slice(2).join(' '),
) => `${pid} ${start} ${space}`

test('a second one is refused until the first has gone', async () => {
  const lock = await take()
  await expect(take()).rejects.toThrow('another sidecar writes it')
  await lock.release()
  await (await take()).release()
  expect(readdirSync(dir)).toEqual([])
})

test('two at once: at most one has it', async () => {
  const taken = await Promise.allSettled([take(), take(), take(), take()])
  expect(taken.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
})

test('of a process that was killed it is free at once', async () => {
  const text = await textOfOurs()
  const other = spawn('true')
  await once(other, 'exit')
  writeFileSync(path(), lockOf(text, `${other.pid}`))
  await (await take()).release()
})

test('of a process id that another process has now it is free', async () => {
  writeFileSync(path(), lockOf(await textOfOurs(), `${process.pid}`))
  await (await take()).release()
})

test('of a process elsewhere it is free when nobody touches it any more', async () => {
  writeFileSync(path(), lockOf(await textOfOurs(), '1', '1', 'another-boot pid:[1]\n'))
  await (await take()).release()
}, 20_000)

test('of a process elsewhere that touches it, it is not', async () => {
  // It could not write into it: its disk was full.
  const touching = setInterval(() => writeFileSync(path(), ''), 300)
  writeFileSync(path(), '')
  await expect(take()).rejects.toThrow('another sidecar writes it')
  clearInterval(touching)
}, 20_000)

test('who has lost it is told, and gives back nothing of the other’s', async () => {
  const lock = await take()
  writeFileSync(path(), 'another')
  expect(await lock.touch(Date.now())).toBe(false)
  await lock.release()
  expect(readFileSync(path(), 'utf8')).toBe('another')
})

test('one that was taken away is there again', async () => {
  const lock = await take()
  rmSync(path())
  expect(await lock.touch(Date.now())).toBe(true)
  await expect(take()).rejects.toThrow('another sidecar writes it')
  await lock.release()
})

test('where no boot has an id, a lock that is touched is held, whatever process it names', async () => {
  const text = '1 1  pid:[1]\n'
  const touching = setInterval(() => writeFileSync(path(), text), 300)
  writeFileSync(path(), text)
  await expect(
    FileLock.take(join(dir, 'audit.jsonl'), () => Promise.resolve(' pid:[1]')),
  ).rejects.toThrow('another sidecar writes it')
  clearInterval(touching)
}, 20_000)

test('one that cannot be read is left as it is', async () => {
  const lock = await take()
  // More than is read at once; it takes no room.
  truncateSync(path(), 3 * 2 ** 30)
  await expect(lock.touch(Date.now())).rejects.toThrow()
  expect(statSync(path()).size).toBe(3 * 2 ** 30)
})
