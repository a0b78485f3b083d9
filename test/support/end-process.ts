// Ends a process from outside, which may have ended by itself a moment before.

/** By shape, not by class: what a test runner's realm has thrown is no Error of ours. */
const isGone = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === 'ESRCH'

/** Kills a process that need not be there any more; whether it was still there. */
export const endProcess = (pid: number): boolean => {
  try {
    return process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (isGone(error)) return false
    throw error
  }
}
