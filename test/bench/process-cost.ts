// What processes have cost so far, by /proc: CPU time, resident memory, open descriptors. A process
// that has ended is an error: what it cost is not known any more.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

const threadMicroseconds = (pid: number, thread: string): number => {
  const [nanoseconds] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')
  return Number(nanoseconds) / 1000
}

/**
 * User and system time of the processes' threads together, in microseconds: the scheduler's own sum, in nanoseconds,
 * of which /proc/PID/stat shows the same in ticks of 10 ms. Exact for threads that sleep; of one that runs on another
 * core the last tick (4 ms at most) may be missing, so ask when they have come to rest.
 */
export const cpuMicroseconds = (pids: readonly number[]): number => {
  let sum = 0
  for (const pid of pids) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) sum += threadMicroseconds(pid, thread)
  }
  return sum
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

/** How much of it is pages of files, Node's own program above all: which of them are there depends on who has read it before. */
export const fileKib = (pid: number): number => {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  return Number(/^RssFile:\s+(\d+) kB$/m.exec(status)?.[1])
}

/** The highest resident memory of one process since this was last asked, in KiB, where the kernel tells. */
export const takePeakKib = (pid: number): number => {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1])
}

/** Open descriptors of the processes together. */
export const openDescriptors = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0)
