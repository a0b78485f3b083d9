// The processes of a pod as the machine sees them: found by the pod's cgroup, told apart by their
// command line. For tests that end one from outside, as a crash would.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface PodProcess {
  /** Its number on the machine, not in the pod. */
  readonly pid: number
  readonly command: string
  readonly uid: number
}

const HIERARCHY = existsSync('/sys/fs/cgroup/pids') ? '/sys/fs/cgroup/pids' : '/sys/fs/cgroup'

/** The pod's own first container, which holds its namespaces and is the node's, not the pod's. */
const PAUSE = '/bin/sleep 2147483647'

/** A process that the runtime puts into a container, on its way there: a probe's, before it is one. */
const RUNTIME = 'runc init'

const pidsBelow = (folder: string): readonly number[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return pidsBelow(path)
    return entry.name === 'cgroup.procs'
      ? readFileSync(path, 'utf8').split('\n').filter(Boolean).map(Number)
      : []
  })

const find = (folder: string, name: string): string | undefined => {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue
    const path = join(folder, entry.name)
    const found = entry.name === name ? path : find(path, name)
    if (found !== undefined) return found
  }
  return undefined
}

const describe = (pid: number): readonly PodProcess[] => {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
    const uid = /^Uid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return ['', PAUSE, RUNTIME].includes(command) ? [] : [{ pid, command, uid: Number(uid) }]
  } catch {
    // It ended in between.
    return []
  }
}

/** Every living process of a pod of the cluster in `dir`. */
export const podProcesses = (clusterId: string, podUid: string): readonly PodProcess[] => {
  const folder = find(join(HIERARCHY, `outrigger-${clusterId}`), `pod${podUid}`)
  return folder === undefined ? [] : pidsBelow(folder).flatMap(describe)
}

/** The memory of a container, as the kernel counts and bounds it. */
export interface ContainerMemory {
  readonly limitBytes: number
  /** How often the kernel has killed a process of it for the limit. */
  readonly kills: number
}

const MEMORY_VERSION_1 = {
  root: '/sys/fs/cgroup/memory',
  line: /^\d+:memory:(.*)$/m,
  files: ['memory.limit_in_bytes', 'memory.oom_control'],
} as const
const MEMORY_VERSION_2 = {
  root: '/sys/fs/cgroup',
  line: /^0::(.*)$/m,
  files: ['memory.max', 'memory.events'],
} as const

/** The memory of the container that a process is in. */
export const containerMemory = (pid: number): ContainerMemory => {
  const { root, line, files } = existsSync(MEMORY_VERSION_1.root)
    ? MEMORY_VERSION_1
    : MEMORY_VERSION_2
  const path = line.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1] ?? ''
  const [limit = '', events = ''] = files.map((file) =>
    readFileSync(join(root, path, file), 'utf8'),
  )
  return {
    limitBytes: Number(limit),
    kills: Number(/^oom_kill (\d+)/m.exec(events)?.[1]),
  }
}
