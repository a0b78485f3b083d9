// Where records lie: a file with the full ones before it, a folder of such, or a log on standard input; and how they are read.

import { createReadStream, type Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fail, ok, type Result } from '../../shared/result.ts'
import { fileWords } from '../output/system-words.ts'
import { numberedOf, readFollowed, readWhole, type Reading } from './followed-file.ts'

const STDIN = '-'
/** Of a folder's entries. */
const MAX_ENTRIES = 10_000

/** A file that is written, and the full ones before it. */
export interface Source {
  readonly path: string
  readonly full: readonly string[]
  readonly newest: number
}

const fileSource = async (path: string, isWhole: boolean): Promise<Source> => {
  const numbered = await numberedOf(path)
  const full = isWhole ? numbered.map((one) => one.path) : []
  return { path, full, newest: numbered.at(-1)?.number ?? 0 }
}

const NUMBER = /\.[1-9]\d*$/

/** What is no folder in one, and not hidden, by name. */
const entriesOf = async (folder: string): Promise<Result<readonly Dirent[], string>> => {
  const entries = await readdir(folder, { withFileTypes: true })
  if (entries.length > MAX_ENTRIES) {
    return fail(`${folder}: it holds more than ${MAX_ENTRIES} entries: name files`)
  }
  return ok(entries.filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.')))
}

const noRecords = (folder: string): string => `${folder}: no file of records is there`

const folderSources = async (folder: string): Promise<Result<readonly Source[], string>> => {
  const entries = await entriesOf(folder)
  if (!entries.ok) return entries
  const names = entries.value.filter((entry) => entry.isFile()).map(({ name }) => name)
  const written = names.filter((name) => !NUMBER.test(name))
  if (written.length === 0) return fail(noRecords(folder))
  const sources = written.toSorted().map((name) => fileSource(join(folder, name), true))
  return ok(await Promise.all(sources))
}

/** All files of a folder, or the one that is named: nothing may be missing where they are to be whole. */
export const filesIn = async (path: string): Promise<Result<readonly string[], string>> => {
  if (path === STDIN) return ok([path])
  try {
    if (!(await stat(path)).isDirectory()) return ok([path])
    const entries = await entriesOf(path)
    if (!entries.ok) return entries
    const files = entries.value.map(({ name }) => join(path, name))
    return files.length === 0 ? fail(noRecords(path)) : ok(files)
  } catch (error) {
    return fail(`${path}: ${fileWords(error)}`)
  }
}

/**
 * What a file, a folder or standard input (`-`) holds of records. A file alone is itself; `isWhole`: with the full ones before
 * it, as in a folder.
 */
export const sourcesOf = async (
  path: string,
  isWhole = false,
): Promise<Result<readonly Source[], string>> => {
  if (path === STDIN) return ok([{ path, full: [], newest: 0 }])
  try {
    const about = await stat(path)
    if (about.isDirectory()) return await folderSources(path)
    return ok(about.isFile() ? [await fileSource(path, isWhole)] : [{ path, full: [], newest: 0 }])
  } catch (error) {
    return fail(`${path}: ${fileWords(error)}`)
  }
}

const readStream = async (path: string, reading: Reading): Promise<void> => {
  const stream = path === STDIN ? createReadStream('', { fd: 0 }) : createReadStream(path)
  for await (const chunk of stream) {
    await reading.take(Buffer.from(chunk))
    if (reading.isOver()) break
  }
  await reading.next()
}

const isFile = async (path: string): Promise<boolean> =>
  path !== STDIN && (await stat(path)).isFile()

/** The error of one source is told, and false; the others go on. */
export const readSource = async (
  { path, full, newest }: Source,
  isFollowing: boolean,
  reading: Reading,
): Promise<boolean> => {
  try {
    if (!(await isFile(path))) {
      await readStream(path, reading)
      return true
    }
    for (const one of full) await readWhole(one, reading)
    await readFollowed(path, { newest, isFollowing }, reading)
    return true
  } catch (error) {
    reading.tell(`${path}: ${fileWords(error)}`)
    return false
  }
}
