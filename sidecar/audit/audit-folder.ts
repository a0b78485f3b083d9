// The files of one sidecar's records beside each other: `audit.jsonl`, which is written, and full ones, `audit.jsonl.1`
// and on, the higher the newer. What there was before is read here, and what is too old is taken away.

import { open, readdir, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { digest, sealOf } from '../../shared/audit/chain.ts'
import { readLinked } from '../../shared/audit/read-linked.ts'
import type { EventOf, Position } from '../../shared/audit/record.ts'

/** The last whole record, and what stands behind it, are found in so much of a file's end. */
const END_BYTES = 1024 * 1024
/** The first record stands in so much of its beginning. */
const BEGINNING_BYTES = 64 * 1024

export type Before = NonNullable<EventOf<'begin'>['before']>

interface Full {
  readonly number: number
  readonly path: string
  readonly bytes: number
}

/** Full files, oldest first. */
export const fullFiles = async (path: string): Promise<readonly Full[]> => {
  const [folder, name] = [dirname(path), `${basename(path)}.`]
  const numbers = (await readdir(folder)).flatMap((entry) => {
    const number = entry.startsWith(name) ? entry.slice(name.length) : ''
    return /^[1-9]\d{0,14}$/.test(number) ? [Number(number)] : []
  })
  const full = async (number: number): Promise<Full> => {
    const own = join(folder, `${name}${number}`)
    return { number, path: own, bytes: (await stat(own)).size }
  }
  const files = await Promise.all(numbers.map(full))
  return files.toSorted((one, other) => one.number - other.number)
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

/** The last record of a file's end; `torn`: the line behind it that was not written whole. */
const lastIn = (text: string): Before | undefined => {
  const lines = text.split('\n')
  const rest = lines.pop() ?? ''
  const record = lines.findLast((line) => sealOf(line) !== undefined)
  const read = record === undefined ? undefined : readLinked(record)
  if (!read) return undefined
  const { instance, seq, hash } = read
  const torn = { bytes: Buffer.byteLength(rest), hash: digest(rest) }
  return { instance, seq, hash, ...(rest === '' ? {} : { torn }) }
}

export interface Found {
  readonly before: Before | undefined
  /** Whether the file that is there ends within a line. */
  readonly isTorn: boolean
}

/** What the instance before has left: in the file itself, else in the newest full one. */
export const findBefore = async (path: string): Promise<Found> => {
  const text = await readPart(path, END_BYTES, true)
  const own = lastIn(text)
  const isTorn = text !== '' && !text.endsWith('\n')
  if (own) return { before: own, isTorn }
  const newest = (await fullFiles(path)).at(-1)
  const before = newest && lastIn(await readPart(newest.path, END_BYTES, true))
  return { before, isTorn }
}

const firstIn = async (path: string): Promise<Position | undefined> => {
  const [line = ''] = (await readPart(path, BEGINNING_BYTES, false)).split('\n')
  const read = readLinked(line)
  return read && { instance: read.instance, seq: read.seq }
}

/** Takes full files away, oldest first, until no more than so many bytes are left; the first record of what is left. */
export const prune = async (path: string, keepBytes: number): Promise<Position | undefined> => {
  const files = await fullFiles(path)
  let bytes = files.reduce((sum, one) => sum + one.bytes, 0)
  for (const one of files) {
    if (bytes <= keepBytes) return firstIn(one.path)
    await unlink(one.path)
    bytes -= one.bytes
  }
  return undefined
}
