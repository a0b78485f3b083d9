// A file that a ConfigMap or Secret mounts, looked at again and again: its directory is swapped by a link, which no watch
// sees dependably. What cannot be read, or is wrong, changes nothing, and is logged once: the last good content goes on.

import type { Fields, Log } from './log.ts'
import { fail, ok, type Result } from './result.ts'
import type { TextSource } from './text-source.ts'

/** A promise where it takes long: what was good goes on meanwhile. */
type Parsed<T> = Result<T, readonly string[]> | Promise<Result<T, readonly string[]>>

export interface KeptFileOptions<T> {
  /** How the log calls it: `the image index`. */
  readonly what: string
  readonly source: TextSource
  /** The text is undefined where there is no such file. */
  readonly parse: (text: string | undefined) => Parsed<T>
  readonly log: Log
  /** What the log says of a new content. */
  readonly fields?: (value: T) => Fields
}

/** What became of a look at the file. */
export type Refreshed = 'same' | 'taken' | 'refused'

/** For a file that has to be there. */
export const needed =
  <T>(parse: (text: string) => Parsed<T>): KeptFileOptions<T>['parse'] =>
  (text) =>
    text === undefined ? fail(['there is no such file']) : parse(text)

export class KeptFile<T> {
  private readonly options: KeptFileOptions<T>
  private value: T
  /** The text, or the fault, that was seen last: each is told once. */
  private seen: string | undefined
  /** Undefined before the first look, and where a read has failed: then the next look reads again. */
  private stamp: string | undefined
  private timer: NodeJS.Timeout | undefined

  /** `first` holds until the file is read. */
  constructor(options: KeptFileOptions<T>, first: T) {
    this.options = options
    this.value = first
  }

  /** Reads it now; the errors are everything that keeps it from being used. */
  static async open<T>(
    options: KeptFileOptions<T>,
  ): Promise<Result<KeptFile<T>, readonly string[]>> {
    const stamp = await options.source.stamp()
    const text = await options.source.read()
    if (!text.ok) return fail([text.error])
    const parsed = await options.parse(text.value)
    if (!parsed.ok) return parsed
    const file = new KeptFile(options, parsed.value)
    file.stamp = stamp
    file.seen = text.value
    return ok(file)
  }

  current(): T {
    return this.value
  }

  /** Looks whether it has changed, and takes it over where it is good. */
  async refresh(): Promise<Refreshed> {
    const { source } = this.options
    const stamp = await source.stamp()
    if (stamp === this.stamp) return 'same'
    const text = await source.read()
    this.stamp = text.ok ? stamp : undefined
    return text.ok ? this.take(text.value) : this.refuse([text.error], text.error)
  }

  private async take(text: string | undefined): Promise<Refreshed> {
    if (text === this.seen) return 'same'
    const { what, source, parse, log, fields } = this.options
    const parsed = await parse(text)
    if (!parsed.ok) return this.refuse(parsed.error, text)
    this.seen = text
    this.value = parsed.value
    log.info(`${what} is read, and holds`, { file: source.name, ...fields?.(parsed.value) })
    return 'taken'
  }

  private refuse(errors: readonly string[], seen: string | undefined): Refreshed {
    if (seen === this.seen) return 'same'
    this.seen = seen
    const { what, source, log } = this.options
    log.error(`${what} is not taken; the last good one goes on`, {
      file: source.name,
      error: errors.join('; '),
    })
    return 'refused'
  }

  /** Looks again and again, one look after the other, until `close`; hears of each change, and `onLook` of each look. */
  follow(
    everyMs: number,
    onChange: (outcome: 'taken' | 'refused') => void = () => {},
    onLook: () => void = () => {},
  ): void {
    this.timer = setTimeout(() => {
      void this.refresh().then((outcome) => {
        if (this.timer === undefined) return
        if (outcome !== 'same') onChange(outcome)
        onLook()
        this.follow(everyMs, onChange, onLook)
      })
    }, everyMs)
  }

  close(): void {
    clearTimeout(this.timer)
    this.timer = undefined
  }
}
