// Who descends from a process and which of them are still there, by /proc. Linux only, like what it
// watches. It ends nothing.

import { readdirSync, readFileSync } from 'node:fs'

/** One process; the start time tells it from a later one with the same number. */
export type ProcessId = {
  readonly pid: number
  readonly startTime: string
  readonly command: string
}

type Entry = ProcessId & { readonly parent: number; readonly state: string }

const read = (pid: number): Entry | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const end = stat.lastIndexOf(')')
    const fields = stat.slice(end + 2).split(' ')
    return {
      pid,
      command: stat.slice(stat.indexOf('(') + 1, end),
      state: fields[0] ?? '?',
      parent: Number(fields[1]),
      startTime: fields[19] ?? '',
    }
  } catch {
    return undefined
  }
}

const all = (): Entry[] =>
  readdirSync('/proc').flatMap((name) => {
    const entry = /^\d+$/.test(name) ? read(Number(name)) : undefined
    return entry === undefined ? [] : [entry]
  })

/** The process itself and everything below it, zombies left out. */
export const processTree = (root: number): ProcessId[] => {
  const children = Map.groupBy(all(), (entry) => entry.parent)
  const found: ProcessId[] = []
  const walk = (entry: Entry): void => {
    if (entry.state !== 'Z') found.push(entry)
    children.get(entry.pid)?.forEach(walk)
  }
  const top = read(root)
  if (top !== undefined) walk(top)
  return found
}

/** Those of the processes that still run. */
export const stillRunning = (processes: readonly ProcessId[]): ProcessId[] =>
  processes.filter(({ pid, startTime }) => {
    const now = read(pid)
    return now !== undefined && now.startTime === startTime && now.state !== 'Z'
  })
