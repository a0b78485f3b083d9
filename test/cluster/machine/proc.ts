// What /proc says of a process. A pid alone is no name (it is used again); with the start time
// and the boot it is one.

import { readFileSync } from 'node:fs'

export interface ProcessName {
  readonly pid: number
  /** Start time in clock ticks since boot: tells a process from a later one of the same pid. */
  readonly startTicks: number
}

/** Names a living process, or undefined where there is none (a zombie is none). */
export const processName = (pid: number): ProcessName | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The command, in parentheses, may hold spaces and parentheses; what follows may not.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : { pid, startTicks: Number(fields[19]) }
  } catch {
    return undefined
  }
}

/** Whether exactly this process still lives. */
export const isAlive = (name: ProcessName): boolean =>
  processName(name.pid)?.startTicks === name.startTicks

export const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()

/** The only child of a process, once it has one. */
export const childOf = (pid: number): number | undefined => {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return text === '' ? undefined : Number(text.split(' ')[0])
}
