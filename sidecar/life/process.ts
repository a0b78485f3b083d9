// What is told of the process that a sidecar runs in; whoever starts one hands it in.

import type { ProcessMemory } from './idle-memory.ts'

export interface Process {
  readonly uid: number | undefined
  readonly residentBytes: () => number
  readonly heapUsedBytes: () => number
  readonly cpuMicroseconds: () => number
  /** Milliseconds since 1970. */
  readonly startedMs: number
  /** The version of Node. */
  readonly node: string
  /** Of the container that it runs in, bytes; undefined where it has no limit. */
  readonly memoryLimitBytes: number | undefined
  /** Collects all garbage; absent where Node does not let it be collected. */
  readonly collect: ProcessMemory['collect'] | undefined
}

/** No machine has more; without a limit cgroups say a number near 2 to the 63. */
const MOST_BYTES = 2 ** 50

const limitIn = (constrained: number): number | undefined =>
  constrained > 0 && constrained < MOST_BYTES ? constrained : undefined

type NodeProcess = Pick<
  NodeJS.Process,
  'memoryUsage' | 'cpuUsage' | 'getuid' | 'constrainedMemory' | 'version'
>

/** Node's process and, where it runs with --expose-gc, its collector. */
export const processOf = (node: NodeProcess, gc: NodeJS.GCFunction | undefined): Process => ({
  uid: node.getuid?.(),
  residentBytes: () => node.memoryUsage.rss(),
  heapUsedBytes: () => node.memoryUsage().heapUsed,
  cpuMicroseconds: () => {
    const { user, system } = node.cpuUsage()
    return user + system
  },
  startedMs: performance.timeOrigin,
  node: node.version,
  memoryLimitBytes: limitIn(node.constrainedMemory()),
  collect:
    gc &&
    ((how) =>
      gc(
        how === 'young'
          ? { type: 'minor', execution: 'sync' }
          : {
              type: 'major',
              execution: 'sync',
              flavor: how === 'wholly' ? 'last-resort' : 'regular',
            },
      )),
})
