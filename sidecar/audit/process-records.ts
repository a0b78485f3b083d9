// The starts and ends of server processes on record, and the end of what one wrote to stderr that has failed.

import type { AuditEvent } from '../../shared/audit/record.ts'
import { hasOpenKey, withoutSecrets } from '../../shared/audit/secrets.ts'
import { oneLine } from '../../shared/one-line.ts'
import {
  causeOf,
  type Exit,
  type ProcessWatch,
  type ServerProcess,
} from '../server/process-watch.ts'
import { brief, cut } from '../telemetry/brief.ts'

const MAX_LINES = 10
/** A longer line is kept as its beginning, without secrets. */
const MAX_LINE_LENGTH = 1024
/** Lines of one private key: a word of it in a log hides no more than these. */
const MAX_KEY_LINES = 256
/** Of more processes nothing is kept that they write. */
const MAX_PROCESSES = 256

const named = ({ number, session }: ServerProcess) => ({
  process: number,
  ...(session === undefined ? {} : { session }),
})

/** The last lines that a process wrote. Of a private key the first and last alone, so that it is known for one. */
class Tail {
  private readonly lines: string[] = []
  private keyLines = 0

  push(line: string): void {
    const isInKey = this.keyLines > 0
    const goesOn = hasOpenKey(line, isInKey) && this.keyLines < MAX_KEY_LINES
    this.keyLines = goesOn ? this.keyLines + 1 : 0
    if (isInKey && goesOn) return
    this.lines.push(line.length > MAX_LINE_LENGTH ? brief(line) : line)
    if (this.lines.length > MAX_LINES) this.lines.shift()
  }

  /** Cleaned as a whole: a secret may stand over several of its lines. */
  shown(): string[] {
    if (this.lines.length === 0) return []
    return withoutSecrets(this.lines.join('\n'))
      .split('\n')
      .map((line) => cut(oneLine(line)))
  }
}

export class ProcessRecords implements ProcessWatch {
  /** Who is told of all of it as well. */
  next: ProcessWatch | undefined
  private readonly add: (event: AuditEvent) => void
  private readonly tails = new Map<number, Tail>()

  constructor(add: (event: AuditEvent) => void) {
    this.add = add
  }

  started(process: ServerProcess): void {
    this.next?.started(process)
    if (this.tails.size < MAX_PROCESSES) this.tails.set(process.number, new Tail())
    this.add({ event: 'process-start', ...named(process) })
  }

  wrote(process: ServerProcess, line: string): void {
    this.next?.wrote(process, line)
    this.tails.get(process.number)?.push(line)
  }

  exited(process: ServerProcess, exit: Exit): void {
    this.next?.exited(process, exit)
    const { code } = exit
    const tail = this.tails.get(process.number)
    this.tails.delete(process.number)
    const shown = exit.isAsked || code === 0 ? undefined : tail?.shown()
    this.add({
      event: 'process-end',
      ...named(process),
      cause: causeOf(exit),
      ...(code === undefined ? {} : { code }),
      ...(shown && shown.length > 0 ? { tail: shown } : {}),
    })
  }

  lost(process: ServerProcess): void {
    this.next?.lost(process)
    this.tails.delete(process.number)
    this.add({ event: 'process-end', ...named(process), cause: 'lost' })
  }
}
