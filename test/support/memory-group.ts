// A memory cgroup of one bench's or test's own, where the system lets it be made: version 2 with the memory controller, or 1.

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type MemoryGroup = {
  /** Whoever writes its number here belongs to the group. */
  readonly procs: string
  /** How often the kernel has killed a member for the group's limit. */
  readonly kills: () => number
  readonly remove: () => void
}

type Version = {
  readonly root: string
  readonly line: RegExp
  readonly limit: string
  readonly events: string
}

const VERSIONS: readonly Version[] = [
  {
    root: '/sys/fs/cgroup/memory',
    line: /^\d+:memory:(.*)$/m,
    limit: 'memory.limit_in_bytes',
    events: 'memory.oom_control',
  },
  { root: '/sys/fs/cgroup', line: /^0::(.*)$/m, limit: 'memory.max', events: 'memory.events' },
]

/** Undefined where none can be made. */
export const makeMemoryGroup = (bytes: number): MemoryGroup | undefined => {
  const own = readFileSync('/proc/self/cgroup', 'latin1')
  for (const { root, line, limit, events } of VERSIONS) {
    const path = join(root, line.exec(own)?.[1] ?? '', `outrigger-test-${process.pid}`)
    try {
      mkdirSync(path)
      if (!existsSync(join(path, limit))) throw new Error('no memory controller')
      writeFileSync(join(path, limit), `${bytes}`)
    } catch {
      if (existsSync(path)) rmdirSync(path)
      continue
    }
    return {
      procs: join(path, 'cgroup.procs'),
      kills: () => Number(/oom_kill (\d+)/.exec(readFileSync(join(path, events), 'latin1'))?.[1]),
      remove: () => rmdirSync(path),
    }
  }
  return undefined
}
