// How many server processes a pod runs at most. The sidecar counts by it and the shim is told it, so
// that both refuse at the same number. Pure.

import { ANNOTATIONS } from './annotations.ts'

/** What one server process is taken to need, bytes: an npm server with its runtime. */
const PROCESS_BYTES = 96 * 1024 * 1024
/** Without a limit on memory or processes. */
const DEFAULT_PROCESSES = 32
const MOST_PROCESSES = ANNOTATIONS['max-processes'].max

/** The cap: what the user said, else what fits into the memory limit (one process's OOM kills them all). */
export const maxProcesses = (
  configured: number | undefined,
  memoryBytes: number | undefined,
): number => {
  if (configured !== undefined) return Math.min(configured, MOST_PROCESSES)
  if (memoryBytes === undefined) return DEFAULT_PROCESSES
  return Math.min(Math.max(Math.floor(memoryBytes / PROCESS_BYTES), 1), MOST_PROCESSES)
}
