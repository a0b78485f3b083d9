// The log of a sidecar that a person has started. Until the server has answered, what says that it does not start waits:
// if it never does, one sentence says why, and those lines would only say it again. Whoever asks for more than warnings
// gets them as they come.

import { createLog, type Level, type Log } from '../../shared/log.ts'
import type { Io } from '../command/command.ts'

/** Of a start that goes wrong again and again. */
const MAX_WAITING = 256

export interface StartLogs {
  readonly log: Log
  /** What the server writes to stderr: as it is on a terminal, elsewhere with time, process and session. */
  readonly serverLog: Log
  /** The server has answered: what waits is written, and from now on all. */
  readonly begin: () => void
}

/** What a server writes, as it is. */
const asItIs = (write: (line: string) => void): Log => {
  const line = (text: string): void => write(`${text}\n`)
  return { debug: line, info: line, warn: line, error: line }
}

/** A server that does not start is tried twice, and says the same each time: the second time it is passed over. */
const once = (log: Log, isStarted: () => boolean): Log => {
  const saidBy = new Map<string, unknown>()
  const isNews = (text: string, process: unknown): boolean => {
    if (isStarted() || saidBy.size >= MAX_WAITING) return true
    const first = saidBy.get(text)
    if (first === undefined) saidBy.set(text, process)
    return first === undefined || first === process
  }
  return {
    ...log,
    info: (text, fields) => {
      if (isNews(text, fields?.['process'])) log.info(text, fields)
    },
  }
}

export const startLogs = (level: Level, io: Pick<Io, 'log' | 'isTerminal'>): StartLogs => {
  const isPlain = io.isTerminal('stderr')
  const isPatient = level === 'warn' || level === 'error'
  const now = (): number => Date.now()
  const write = (line: string): void => io.log(line)
  const waiting: (() => void)[] = []
  let isStarted = false
  const ours = createLog({ level, write, now, isPlain })
  const later = (tell: () => void): void => {
    if (isStarted || !isPatient) tell()
    else if (waiting.length < MAX_WAITING) waiting.push(tell)
  }
  const servers = isPlain ? asItIs(write) : createLog({ level: 'info', write, now })
  return {
    log: {
      ...ours,
      // That a process has ended says how.
      warn: (text, fields) =>
        fields?.['how'] === undefined
          ? ours.warn(text, fields)
          : later(() => ours.warn(text, fields)),
      error: (text, fields) => later(() => ours.error(text, fields)),
    },
    serverLog: once(servers, () => isStarted),
    begin: () => {
      isStarted = true
      for (const tell of waiting.splice(0)) tell()
    },
  }
}
