// The starts and ends of server processes on record, and the end of what one wrote to stderr that has failed.

import type { AuditEvent } from '../../shared/audit/record.ts'
import { withoutSecrets } from '../../shared/audit/secrets.ts'
import { oneLine } from '../../shared/one-line.ts'
import {
  causeOf,
  type Exit,
  type ProcessWatch,
  type ServerProcess,
} from '../server/process-watch.ts'

const MAX_LINES = 10
const MAX_LINE_LENGTH = 256
/** Of more processes nothing is kept that they write. */
const MAX_PROCESSES = 256

const named = ({ number, session }: ServerProcess) => ({
  process: number,
  ...(session === undefined ? {} : { session }),
})

export class ProcessRecords implements ProcessWatch {
  /** Who is told of all of it as well. */
  next: ProcessWatch | undefined
  private readonly add: (event: AuditEvent) => void
  private readonly tails = new Map<number, string[]>()

  constructor(add: (event: AuditEvent) => void) {
    this.add = add
  }

  started(process: ServerProcess): void {
    this.next?.started(process)
    if (this.tails.size < MAX_PROCESSES) this.tails.set(process.number, [])
    this.add({ event: 'process-start', ...named(process) })
  }

  wrote(process: ServerProcess, line: string): void {
    this.next?.wrote(process, line)
    const tail = this.tails.get(process.number)
    if (!tail) return
    tail.push(line.slice(0, MAX_LINE_LENGTH))
    if (tail.length > MAX_LINES) tail.shift()
  }

  exited(process: ServerProcess, exit: Exit): void {
    this.next?.exited(process, exit)
    const { code } = exit
    const tail = this.takeTail(process)
    const hasFailed = !exit.isAsked && code !== 0 && tail.length > 0
    this.add({
      event: 'process-end',
      ...named(process),
      cause: causeOf(exit),
      ...(code === undefined ? {} : { code }),
      ...(hasFailed
        ? { tail: tail.map((line) => oneLine(withoutSecrets(line)).toWellFormed()) }
        : {}),
    })
  }

  lost(process: ServerProcess): void {
    this.next?.lost(process)
    this.takeTail(process)
    this.add({ event: 'process-end', ...named(process), cause: 'lost' })
  }

  private takeTail({ number }: ServerProcess): readonly string[] {
    const tail = this.tails.get(number) ?? []
    this.tails.delete(number)
    return tail
  }
}
