// A file of records, read to its end and, where that is wanted, on from there: into the next file when it is full and gets a
// number, and from the beginning again when it is cut.

import { open, readdir, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { codeOf } from '../../shared/error-code.ts'

const CHUNK_BYTES = 64 * 1024
const LOOK_MS = 250

export interface Reading {
  /** Bytes as they come; resolves when more may. */
  readonly take: (bytes: Buffer) => Promise<void>
  /** What follows is another file. */
  readonly next: () => Promise<void>
  readonly tell: (sentence: string) => void
  readonly sleep: (delayMs: number) => Promise<unknown>
  /** Nobody wants more. */
  readonly isOver: () => boolean
}

interface Numbered {
  readonly number: number
  readonly path: string
}

/** The full files of this one, oldest first. */
export const numberedOf = async (path: string): Promise<readonly Numbered[]> => {
  const [folder, name] = [dirname(path), `${basename(path)}.`]
  const found = (await readdir(folder)).flatMap((entry) => {
    const text = entry.startsWith(name) ? entry.slice(name.length) : ''
    return /^[1-9]\d{0,14}$/.test(text) ? [{ number: Number(text), path: join(folder, entry) }] : []
  })
  return found.toSorted((one, other) => one.number - other.number)
}

/** Reads on from a place, and says how far it came. */
const readOn = async (file: FileHandle, from: number, reading: Reading): Promise<number> => {
  const bytes = Buffer.alloc(CHUNK_BYTES)
  let at = from
  while (!reading.isOver()) {
    const { bytesRead } = await file.read(bytes, 0, bytes.length, at)
    if (bytesRead === 0) break
    at += bytesRead
    await reading.take(bytes.subarray(0, bytesRead))
  }
  return at
}

/** The whole of a file that is full. */
export const readWhole = async (path: string, reading: Reading): Promise<void> => {
  const file = await open(path, 'r')
  try {
    await readOn(file, 0, reading)
    await reading.next()
  } finally {
    await file.close()
  }
}

class FollowedFile {
  private readonly path: string
  private readonly reading: Reading
  private newest: number
  private file: FileHandle | undefined
  private ino = 0
  private at = 0

  constructor(path: string, newest: number, reading: Reading) {
    this.path = path
    this.newest = newest
    this.reading = reading
  }

  /** Opens what stands there now; what has become full since the last time is read before it. */
  async begin(): Promise<void> {
    const [before, old] = [this.file, this.ino]
    const file = await open(this.path, 'r')
    await before?.close()
    this.file = file
    this.ino = (await file.stat()).ino
    this.at = 0
    for (const { number, path } of await numberedOf(this.path)) {
      if (number <= this.newest) continue
      this.newest = number
      const { ino } = await stat(path).catch(() => ({ ino: old }))
      if (ino !== old && ino !== this.ino) await readWhole(path, this.reading)
    }
    await this.readOn()
  }

  async follow(): Promise<void> {
    while (!this.reading.isOver()) {
      await this.reading.sleep(LOOK_MS)
      await this.readOn()
      const there = await stat(this.path).catch(() => undefined)
      if (there && there.ino !== this.ino) await this.goOn()
      else if (there && there.size < this.at) {
        this.reading.tell(
          `${this.path}: it was cut; what stands there now is shown from its beginning`,
        )
        await this.reading.next()
        this.at = 0
      }
    }
  }

  async close(): Promise<void> {
    await this.file?.close()
  }

  /** Another file stands there; between two it may be none. */
  private async goOn(): Promise<void> {
    await this.readOn()
    await this.reading.next()
    try {
      await this.begin()
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
    }
  }

  private async readOn(): Promise<void> {
    if (this.file) this.at = await readOn(this.file, this.at, this.reading)
  }
}

export interface Way {
  /** The number of the last full file that was read already. */
  readonly newest: number
  readonly isFollowing: boolean
}

/** Rejects as the system does. */
export const readFollowed = async (
  path: string,
  { newest, isFollowing }: Way,
  reading: Reading,
): Promise<void> => {
  const file = new FollowedFile(path, newest, reading)
  try {
    await file.begin()
    if (isFollowing) await file.follow()
    await reading.next()
  } finally {
    await file.close()
  }
}
