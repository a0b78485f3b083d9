// What processes have cost so far, by /proc: CPU time, resident memory, open descriptors.

import { readdirSync, readFileSync } from 'node:fs'

// USER_HZ, which Linux fixes at 100 for everything that it shows to programs.
const TICKS_PER_SECOND = 100

/** User and system time of the processes together, in microseconds; an ended one counts nothing. */
export const cpuMicroseconds = (pids: readonly number[]): number => {
  let ticks = 0
  for (const pid of pids) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      ticks += Number(fields[11]) + Number(fields[12])
    } catch {
      continue
    }
  }
  return (ticks * 1e6) / TICKS_PER_SECOND
}

/** Resident memory of the processes together, in KiB. */
export const residentKib = (pids: readonly number[]): number => {
  let kib = 0
  for (const pid of pids) {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    kib += Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0)
  }
  return kib
}

/** Open descriptors of the processes together. */
export const openDescriptors = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0)
