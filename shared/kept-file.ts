// A file that a ConfigMap mounts, read again and again: its directory is swapped by a link, which no watch sees
// dependably. What cannot be read, or is wrong, changes nothing, and is logged once: the last good content goes on.

import type { Fields, Log } from './log.ts'
import { messageOf } from './message.ts'
import type { Result } from './result.ts'

export interface KeptFileOptions<T> {
  /** How the log calls it: `the image index`. */
  readonly what: string
  readonly file: string
  /** The file's text; undefined where there is no such file. */
  readonly read: (file: string) => Promise<string | undefined>
  readonly parse: (text: string | undefined) => Result<T, readonly string[]>
  /** What holds before it has been read; `seen` is the text that it was read from. */
  readonly first: { readonly value: T; readonly seen?: string }
  readonly log: Log
  /** What the log says of a new content. */
  readonly fields: (value: T) => Fields
  /** Hears of each new content, and (`undefined`) of each that is not taken. */
  readonly onChange?: (value: T | undefined) => void
}

export class KeptFile<T> {
  private readonly options: KeptFileOptions<T>
  private value: T
  /** The text, or the fault, that was seen last. */
  private seen: string | undefined

  constructor(options: KeptFileOptions<T>) {
    this.options = options
    this.value = options.first.value
    this.seen = options.first.seen
  }

  current(): T {
    return this.value
  }

  /** Reads the file; never throws. */
  async refresh(): Promise<void> {
    const { file, read } = this.options
    try {
      this.take(await read(file))
    } catch (error) {
      this.fault(`it cannot be read: ${messageOf(error)}`)
    }
  }

  private take(text: string | undefined): void {
    if (text === this.seen) return
    const { what, file, parse, log, fields, onChange } = this.options
    const parsed = parse(text)
    if (!parsed.ok) {
      this.fault(parsed.error.join('; '), text)
      return
    }
    this.seen = text
    this.value = parsed.value
    log.info(`${what} is read`, { file, ...fields(parsed.value) })
    onChange?.(parsed.value)
  }

  private fault(error: string, text: string = error): void {
    if (text === this.seen) return
    this.seen = text
    const { what, file, log, onChange } = this.options
    log.error(`${what} is not taken; the last good one goes on`, { file, error })
    onChange?.(undefined)
  }
}
