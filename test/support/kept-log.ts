// A log that a test can read.

import { createLog, type Log } from '../../shared/log.ts'

export type KeptLog = { readonly log: Log; readonly lines: string[] }

/** Keeps every line that is logged. */
export const keptLog = (): KeptLog => {
  const lines: string[] = []
  const write = (line: string): void => void lines.push(line)
  return { log: createLog({ level: 'debug', write, now: () => 0 }), lines }
}
