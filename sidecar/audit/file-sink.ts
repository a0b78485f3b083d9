// Records to a file that only grows, until it is full or old: then it gets a number, and the next begins. Whoever takes
// the file away or puts another in its place is noticed within a second.

import { constants } from 'node:fs'
import { open, rename, stat, type FileHandle } from 'node:fs/promises'
import { basename } from 'node:path'
import { findBefore, fullFiles, prune, type Before } from './audit-folder.ts'
import type { Rotated, Sink } from './sink.ts'

export interface FileSinkOptions {
  readonly path: string
  readonly maxFileBytes: number
  readonly maxFileAgeMs: number
  /** For full files; the one that is written comes on top. */
  readonly keepBytes: number
}

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

const openFile = async (path: string): Promise<FileHandle> => {
  const file = await open(path, FLAGS, OWNER_ONLY)
  const found = await file.stat()
  if (found.isFile() || found.isCharacterDevice()) return file
  await file.close()
  throw new Error('it is no regular file')
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

  private constructor(options: FileSinkOptions, file: FileHandle) {
    this.options = options
    this.file = file
  }

  /** Rejects as the system does. `before`: the last record that is there. */
  static async open(
    options: FileSinkOptions,
    nowMs: number,
  ): Promise<{ readonly sink: FileSink; readonly before: Before | undefined }> {
    const file = await openFile(options.path)
    try {
      const { before, isTorn } = await findBefore(options.path)
      if (isTorn) await file.write('\n')
      const sink = new FileSink(options, file)
      await sink.began(nowMs)
      return { sink, before }
    } catch (error) {
      await file.close()
      throw error
    }
  }

  async write(bytes: Buffer): Promise<number> {
    const { bytesWritten } = await this.file.write(bytes)
    this.bytes += bytesWritten
    return bytesWritten
  }

  rotate(bytes: number, nowMs: number): Promise<Rotated> | undefined {
    const { maxFileBytes, maxFileAgeMs } = this.options
    const isFull = this.bytes > 0 && this.bytes + bytes > maxFileBytes
    const isOld = this.bytes > 0 && nowMs - this.beganMs >= maxFileAgeMs
    return !this.isMoving && (isFull || isOld) ? this.next(nowMs) : undefined
  }

  /** Opens the file anew where it is not the one that is written any more; true then. */
  async look(nowMs: number): Promise<boolean> {
    if (this.isMoving || nowMs - this.lookedMs < LOOK_MS) return false
    this.lookedMs = nowMs
    const there = await stat(this.options.path).catch(() => undefined)
    if (there?.ino === this.ino || this.isMoving) return false
    await this.reopen(nowMs)
    return true
  }

  close(): Promise<void> {
    return this.file.close()
  }

  private async next(nowMs: number): Promise<Rotated> {
    const { path, keepBytes } = this.options
    this.isMoving = true
    try {
      const newest = (await fullFiles(path)).at(-1)?.number ?? 0
      const name = `${path}.${newest + 1}`
      await rename(path, name)
      await this.reopen(nowMs)
      return { file: basename(name), oldest: await prune(path, keepBytes) }
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
