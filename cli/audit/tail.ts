// `outrigger audit tail`: records of files, folders or standard input, those that are chosen, as they come.

import { setTimeout as sleep } from 'node:timers/promises'
import { jsonOf } from '../../shared/audit/chain.ts'
import { plainJson } from '../../shared/one-line.ts'
import { tell, type Io } from '../command/command.ts'
import { isChosen, type Choice } from './choice.ts'
import type { Reading } from './followed-file.ts'
import { LineSplitter } from './line-splitter.ts'
import { ocsfOf } from './ocsf.ts'
import { readSource, sourcesOf, type Source } from './record-files.ts'
import { recordText } from './record-text.ts'
import { seeRecord, type Seen } from './seen-record.ts'

export const FORMATS = ['text', 'json', 'ocsf'] as const
export type Format = (typeof FORMATS)[number]

export interface TailFlags {
  readonly sources: readonly string[]
  readonly choice: Choice
  readonly format: Format
  readonly isFollowing: boolean
}

/** So many characters wait for the reader of standard output; nothing more is read until they are out. */
const WAITING = 64 * 1024

const written = ({ text, record }: Seen, format: Format): string | undefined => {
  // Between its members a tab is as good as a space, and in them none can stand.
  if (format === 'json') return plainJson(text.replaceAll(/[\t\r]/g, ' '))
  if (format === 'text') return recordText(record)
  const event = ocsfOf(record)
  return event && jsonOf(event)
}

/** What all sources have in common: where their records go, and what was found in them. */
class Shown {
  readonly found = { records: 0, unreadable: 0 }
  isOver = false
  private readonly flags: TailFlags
  private readonly io: Io
  private waiting = ''

  constructor(flags: TailFlags, io: Io) {
    this.flags = flags
    this.io = io
  }

  async take(lines: readonly string[]): Promise<void> {
    for (const line of lines) {
      const seen = seeRecord(line)
      if (seen === false) this.found.unreadable++
      if (!seen) continue
      this.found.records++
      if (!isChosen(seen.record, this.flags.choice)) continue
      const text = written(seen, this.flags.format)
      if (text !== undefined) this.waiting += `${text}\n`
      if (this.waiting.length >= WAITING) await this.flush()
    }
  }

  async flush(): Promise<void> {
    const { io, waiting } = this
    this.waiting = ''
    if (waiting === '' || this.isOver) return
    io.stdout(waiting)
    this.isOver = !(await io.written())
  }
}

/** How one source is read. */
const readingFor = (shown: Shown, io: Io): Reading => {
  const splitter = new LineSplitter()
  const take = async (lines: readonly string[]): Promise<void> => {
    await shown.take(lines)
    await shown.flush()
  }
  return {
    take: (bytes) => take(splitter.take(bytes)),
    next: async () => {
      await take(splitter.end())
      shown.found.unreadable += splitter.passedOver
      splitter.passedOver = 0
    },
    tell: (sentence) => tell(io, 'audit', sentence),
    sleep,
    isOver: () => shown.isOver,
  }
}

const passedOver = (count: number): string =>
  `${count} line${count === 1 ? ' was' : 's were'} passed over: no whole record, or longer than any`

/** What is missing in what was shown. */
const remarks = ({ found }: Shown, sources: readonly string[]): readonly string[] => [
  ...(found.unreadable === 0 ? [] : [passedOver(found.unreadable)]),
  ...(found.records === 0 ? [`${sources.join(', ')}: no line is a record`] : []),
]

export const tail = async (flags: TailFlags, io: Io): Promise<number> => {
  const sources: Source[] = []
  for (const path of flags.sources) {
    const found = await sourcesOf(path)
    if (!found.ok) {
      tell(io, 'audit', found.error)
      return 1
    }
    sources.push(...found.value)
  }
  const shown = new Shown(flags, io)
  const read = (source: Source): Promise<boolean> =>
    readSource(source, flags.isFollowing, readingFor(shown, io))
  const done: boolean[] = []
  if (flags.isFollowing) done.push(...(await Promise.all(sources.map(read))))
  else for (const source of sources) done.push(await read(source))
  if (shown.isOver) return 0
  for (const remark of remarks(shown, flags.sources)) tell(io, 'audit', remark)
  return done.every(Boolean) && shown.found.records > 0 ? 0 : 1
}
