// What is told of the process that a sidecar runs in; whoever starts one hands it in.

export interface Process {
  readonly uid: number | undefined
  readonly residentBytes: () => number
  readonly heapUsedBytes: () => number
  readonly cpuMicroseconds: () => number
  /** Collects all garbage; absent where Node does not let it be collected. */
  readonly collect: (() => void) | undefined
}

type NodeProcess = Pick<NodeJS.Process, 'memoryUsage' | 'cpuUsage' | 'getuid'>

/** Node's process and, where it runs with --expose-gc, its collector. */
export const processOf = (node: NodeProcess, gc: NodeJS.GCFunction | undefined): Process => ({
  uid: node.getuid?.(),
  residentBytes: () => node.memoryUsage.rss(),
  heapUsedBytes: () => node.memoryUsage().heapUsed,
  cpuMicroseconds: () => {
    const { user, system } = node.cpuUsage()
    return user + system
  },
  collect: gc && (() => gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })),
})
