// Records to a file that only grows, until it is full or old: then it gets a number, and the next begins. Whoever takes
// the file away or puts another in its place is noticed within a second.

import { constants, writeSync } from 'node:fs'
import { open, rename, stat, statfs, unlink, type FileHandle } from 'node:fs/promises'
import { basename } from 'node:path'
import { findBefore, planRotation, type Before, type Found } from './audit-folder.ts'
import { FileLock } from './file-lock.ts'
import { isLocal } from './local-file-system.ts'
import type { AtOnce, Rotated, Sink } from './sink.ts'

export interface FileSinkOptions {
  readonly path: string
  readonly maxFileBytes: number
  readonly maxFileAgeMs: number
  /** For full files; the one that is written comes on top. */
  readonly keepBytes: number
  /** Callers wait for their records in any case: then a disk that hangs may hold up everybody. */
  readonly waits: boolean
  /** Monotonic milliseconds. */
  readonly now: () => number
}

/**
 * A write that takes longer holds up every caller. One alone may be the kernel's, which had put this process aside, as it
 * does at a limit of CPU; of two in a row, and of one that takes much longer, the disk is the reason.
 */
const SLOW_MS = 20
const HANGING_MS = 250
/** Then threads do them, so many times as long as that took: no more than a fiftieth of the time is spent waiting. */
const SLOW_FOR = 50

const OWNER_ONLY = 0o600
/** How often it is looked whether the file is still there. */
const LOOK_MS = 1000
// A pipe that somebody has put there must not hold us up until it has a reader.
const FLAGS =
  constants.O_WRONLY |
  constants.O_APPEND |
  constants.O_CREAT |
  constants.O_NOFOLLOW |
  constants.O_NONBLOCK

interface Opened {
  readonly file: FileHandle
  /** A device has none: whoever writes there leaves nothing behind. */
  readonly lock: FileLock | undefined
  readonly end: Found['end']
  readonly isLocal: boolean
}

const LINE_END = Buffer.from('\n')

export const NO_FILE = 'it is no regular file'

const openFile = async (path: string): Promise<FileHandle> => {
  const file = await open(path, FLAGS, OWNER_ONLY)
  const found = await file.stat()
  if (found.isFile() || found.isCharacterDevice()) return file
  await file.close()
  throw new Error(NO_FILE)
}

const takeAway = async (files: readonly string[]): Promise<void> => {
  for (const file of files) await unlink(file)
}

export class FileSink implements Sink {
  private readonly options: FileSinkOptions
  private file: FileHandle
  private ino = 0
  private bytes = 0
  private beganMs = 0
  private lookedMs = 0
  /** Another file is being begun. */
  private isMoving = false
  /** The full one has its number, and the next is not there yet. */
  private moved: Rotated | undefined
  private readonly lock: FileLock | undefined
  private isTaken = false
  /** What is written next ends a line that another instance was writing: in one write, so that none is left with an end. */
  private isTorn: boolean
  readonly atOnce: AtOnce | undefined
  private slowUntilMs = -Infinity
  private wasSlow = false

  private constructor(options: FileSinkOptions, { file, lock, end, isLocal }: Opened) {
    this.options = options
    this.file = file
    this.lock = lock
    this.isTorn = end === 'torn'
    this.atOnce =
      isLocal && options.waits
        ? {
            takes: (bytes, nowMs) => this.takesAtOnce(bytes, nowMs),
            write: (bytes) => this.writeAtOnce(bytes),
          }
        : undefined
  }

  /** Rejects as the system does, and where another process writes the file or it holds something else. */
  static async open(
    options: FileSinkOptions,
    nowMs: number,
  ): Promise<{ readonly sink: FileSink; readonly before: Before | undefined }> {
    const file = await openFile(options.path)
    let lock: FileLock | undefined
    try {
      if ((await file.stat()).isFile()) lock = await FileLock.take(options.path)
      const { before, end } = await findBefore(options.path)
      if (end === 'only-torn') await file.truncate()
      const { type } = await statfs(options.path)
      const sink = new FileSink(options, { file, lock, end, isLocal: isLocal(type) })
      await sink.began(nowMs)
      return { sink, before }
    } catch (error) {
      await lock?.release()
      await file.close()
      throw error
    }
  }

  async write(bytes: Buffer): Promise<number> {
    const { isTorn } = this
    const { bytesWritten } = await this.file.write(
      isTorn ? Buffer.concat([LINE_END, bytes]) : bytes,
    )
    this.bytes += bytesWritten
    if (bytesWritten > 0) this.isTorn = false
    return isTorn ? Math.max(bytesWritten - 1, 0) : bytesWritten
  }

  rotate(bytes: number, nowMs: number): Promise<Rotated> | undefined {
    return !this.isMoving && this.isDue(bytes, nowMs) ? this.next(nowMs) : undefined
  }

  /** Opens the file anew where it is not the one that is written any more; says what was found, where that is wrong. */
  async look(nowMs: number): Promise<string | undefined> {
    if (this.isMoving || this.moved || Math.abs(nowMs - this.lookedMs) < LOOK_MS) return undefined
    this.lookedMs = nowMs
    const there = await stat(this.options.path).catch(() => undefined)
    if (there?.ino !== this.ino && !this.isMoving) {
      await this.reopen(nowMs)
      return 'the audit file was moved, removed or replaced, and is begun anew'
    }
    return this.touch(nowMs)
  }

  async close(): Promise<void> {
    await this.file.close()
    await this.lock?.release()
  }

  private isDue(bytes: number, nowMs: number): boolean {
    const { maxFileBytes, maxFileAgeMs } = this.options
    const isFull = this.bytes > 0 && this.bytes + bytes > maxFileBytes
    const isOld = this.bytes > 0 && nowMs - this.beganMs >= maxFileAgeMs
    return this.moved !== undefined || isFull || isOld
  }

  private takesAtOnce(bytes: number, nowMs: number): boolean {
    const isSlow = this.options.now() < this.slowUntilMs
    return !isSlow && !this.isTorn && !this.isMoving && !this.isDue(bytes, nowMs)
  }

  private writeAtOnce(bytes: Buffer): number {
    const { now } = this.options
    const beganMs = now()
    const written = writeSync(this.file.fd, bytes)
    this.bytes += written
    const endMs = now()
    const tookMs = endMs - beganMs
    const isSlow = tookMs > SLOW_MS
    if (tookMs > HANGING_MS || (isSlow && this.wasSlow)) {
      this.slowUntilMs = endMs + SLOW_FOR * tookMs
    }
    this.wasSlow = isSlow
    return written
  }

  private async touch(nowMs: number): Promise<string | undefined> {
    if (this.isTaken || (await this.lock?.touch(nowMs)) !== false) return undefined
    this.isTaken = true
    return 'another sidecar writes the audit file, too: give each a file of its own'
  }

  private async next(nowMs: number): Promise<Rotated> {
    const { path, keepBytes } = this.options
    this.isMoving = true
    try {
      if (!this.moved) {
        const { name, oldest, old } = await planRotation(path, keepBytes)
        await rename(path, name)
        this.moved = { file: basename(name), oldest, prune: () => takeAway(old) }
      }
      await this.reopen(nowMs)
      const { moved } = this
      this.moved = undefined
      return moved
    } finally {
      this.isMoving = false
    }
  }

  private async reopen(nowMs: number): Promise<void> {
    this.isMoving = true
    try {
      const before = this.file
      this.file = await openFile(this.options.path)
      await before.close()
      await this.began(nowMs)
    } finally {
      this.isMoving = false
    }
  }

  /** A file that was there is as old as it says. */
  private async began(nowMs: number): Promise<void> {
    const { size, ino, birthtimeMs } = await this.file.stat()
    this.ino = ino
    this.bytes = size
    this.lookedMs = nowMs
    this.beganMs = size > 0 && birthtimeMs > 0 ? Math.min(birthtimeMs, nowMs) : nowMs
  }
}
