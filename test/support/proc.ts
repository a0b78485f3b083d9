// What /proc says about processes, for tests.

import { readdirSync, readFileSync } from 'node:fs'

const read = (pid: number, file: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return ''
  }
}

/** Whether a process is there and not a zombie. */
export const isAlive = (pid: number): boolean => !['', 'Z', 'X'].includes(stateOf(pid))

/** The state letter (`R`, `S`, `T`, `Z`, ...), empty where there is no such process. */
export const stateOf = (pid: number): string => read(pid, 'stat').split(') ').at(-1)?.[0] ?? ''

/** The name of the program, empty where there is no such process. */
export const nameOf = (pid: number): string => read(pid, 'comm').trimEnd()

/** The parent, 0 where there is no such process. */
export const parentOf = (pid: number): number =>
  Number(read(pid, 'stat').split(') ').at(-1)?.split(' ')[1] ?? 0)

/** The children, in no order. */
export const childrenOf = (pid: number): number[] =>
  read(pid, `task/${pid}/children`).split(' ').filter(Boolean).map(Number)

/** A field of /proc/PID/status, e.g. `VmRSS`; memory is in KiB. */
export const statusOf = (pid: number, field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(read(pid, 'status'))?.[1] ?? 0)

/** Its number in the innermost namespace that it is in. */
export const innerPidOf = (pid: number): number =>
  Number(/^NSpid:.*\s(\d+)$/m.exec(read(pid, 'status'))?.[1] ?? 0)

/** How many descriptors a process has open; of a shim only root can know, others its table's size. */
export const descriptorsOf = (pid: number): number => {
  try {
    return readdirSync(`/proc/${pid}/fd`).length
  } catch {
    return statusOf(pid, 'FDSize')
  }
}

/** A process with all its descendants, itself first; without those that have gone. */
export const familyOf = (pid: number): number[] =>
  isAlive(pid) ? [pid, ...childrenOf(pid).flatMap(familyOf)] : []

/** User and system time so far, in clock ticks (10 ms). */
export const ticksOf = (pid: number): number => {
  const fields = read(pid, 'stat').split(') ').at(-1)?.split(' ') ?? []
  return Number(fields[11]) + Number(fields[12])
}

/** For how long the main thread has been on a processor so far, in milliseconds. */
export const mainThreadMs = (pid: number): number =>
  Number(read(pid, 'schedstat').split(' ')[0]) / 1_000_000
