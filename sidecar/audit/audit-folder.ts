// The files of one sidecar's records beside each other: `audit.jsonl`, which is written, and full ones, `audit.jsonl.1`
// and on, the higher the newer. What there was before is read here, and what is too old is taken away: never a file that
// holds something else, whatever it is called.

import { open, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { digest, isOpening, sealOf } from '../../shared/audit/chain.ts'
import { readLinked } from '../../shared/audit/read-linked.ts'
import type { EventOf, Position } from '../../shared/audit/record.ts'

/** The last whole record, and what stands behind it, are found in so much of a file's end. */
const END_BYTES = 1024 * 1024
/** The first record stands in so much of its beginning. */
const BEGINNING_BYTES = 64 * 1024

/** The unit of `blocks`, whatever the file system's own. */
const BLOCK_BYTES = 512

export type Before = NonNullable<EventOf<'begin'>['before']>

interface Numbered {
  readonly number: number
  readonly path: string
}

/** Whatever has a number, oldest first. */
const numbered = async (path: string): Promise<readonly Numbered[]> => {
  const [folder, name] = [dirname(path), `${basename(path)}.`]
  const found = (await readdir(folder)).flatMap((entry) => {
    const text = entry.startsWith(name) ? entry.slice(name.length) : ''
    const number = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : 0
    return number > 0 && Number.isSafeInteger(number) ? [{ number, path: join(folder, entry) }] : []
  })
  return found.toSorted((one, other) => one.number - other.number)
}

/** What the file that is written will be called; rejects where nothing is left. */
const nextName = (path: string, all: readonly Numbered[]): string => {
  const newest = all.at(-1)
  const number = (newest?.number ?? 0) + 1
  if (Number.isSafeInteger(number)) return `${path}.${number}`
  throw new Error(`no number is left behind ${newest?.path}: move that away`)
}

const readPart = async (path: string, length: number, isEnd: boolean): Promise<string> => {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const bytes = Buffer.alloc(Math.min(length, size))
    const { bytesRead } = await file.read(bytes, 0, bytes.length, isEnd ? size - bytes.length : 0)
    return bytes.toString('utf8', 0, bytesRead)
  } finally {
    await file.close()
  }
}

/** A line that was not written whole. */
const tornOf = (text: string): Pick<Before, 'torn'> =>
  text === '' ? {} : { torn: { bytes: Buffer.byteLength(text), hash: digest(text) } }

/** The last record of a file's end, and what stands behind it. */
const lastIn = (text: string): Before | undefined => {
  const lines = text.split('\n')
  const rest = lines.pop() ?? ''
  const record = lines.findLast((line) => sealOf(line) !== undefined)
  const read = record === undefined ? undefined : readLinked(record)
  return read && { instance: read.instance, seq: read.seq, hash: read.hash, ...tornOf(rest) }
}

interface Full {
  readonly path: string
  readonly bytes: number
  readonly first: Position
}

/** Undefined of what does not begin with a record. */
const readFull = async (path: string): Promise<Full | undefined> => {
  const about = await stat(path)
  if (!about.isFile()) return undefined
  const [line = ''] = (await readPart(path, BEGINNING_BYTES, false)).split('\n')
  const read = readLinked(line)
  // A volume's limit is of blocks, of which a short file takes one, too.
  const bytes = Math.max(about.size, about.blocks * BLOCK_BYTES)
  return read && { path, bytes, first: { instance: read.instance, seq: read.seq } }
}

const lastOfNewest = async (path: string): Promise<Before | undefined> => {
  for (const one of (await numbered(path)).toReversed()) {
    const full = await readFull(one.path)
    if (full) return lastIn(await readPart(full.path, END_BYTES, true))
  }
  return undefined
}

export interface Found {
  readonly before: Before | undefined
  /** How the file that is there ends: whole, within a line, or in the first line that was ever begun. */
  readonly end: 'whole' | 'torn' | 'only-torn'
}

const FOREIGN =
  'it holds something else than audit records, and nothing is added to that: name another file'

/** What the instance before has left: in the file itself, else in the newest full one. Rejects where it is no audit file. */
export const findBefore = async (path: string): Promise<Found> => {
  const text = await readPart(path, END_BYTES, true)
  const own = lastIn(text)
  const isTorn = text !== '' && !text.endsWith('\n')
  if (own) return { before: own, end: isTorn ? 'torn' : 'whole' }
  if (text !== '' && !(isTorn && isOpening(text))) throw new Error(FOREIGN)
  const before = await lastOfNewest(path)
  if (!isTorn) return { before, end: 'whole' }
  return before
    ? { before: { ...before, ...tornOf(text) }, end: 'torn' }
    : { before, end: 'only-torn' }
}

export interface Plan {
  /** What the file that is full is to be called. */
  readonly name: string
  /** The oldest record that is kept; absent where none is. */
  readonly oldest: Position | undefined
  /** Files that are to be taken away. */
  readonly old: readonly string[]
}

/** What becomes of the files when the one that is written is full, and no more than so many bytes of such are kept. */
export const planRotation = async (path: string, keepBytes: number): Promise<Plan> => {
  const all = await numbered(path)
  const name = nextName(path, all)
  const files: Full[] = []
  for (const one of [...all, { path }]) {
    const full = await readFull(one.path)
    if (full) files.push(full)
  }
  let bytes = files.reduce((sum, one) => sum + one.bytes, 0)
  const kept = files.findIndex((one) => {
    const isKept = bytes <= keepBytes
    bytes -= one.bytes
    return isKept
  })
  const [old, oldest] = kept === -1 ? [files, undefined] : [files.slice(0, kept), files[kept]]
  return {
    name,
    oldest: oldest?.first,
    old: old.map((one) => (one.path === path ? name : one.path)),
  }
}
