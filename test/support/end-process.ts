// Ends a process from outside, which may have ended by itself a moment before.

const isGone = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ESRCH'

/** Kills a process that need not be there any more; whether it was still there. */
export const endProcess = (pid: number): boolean => {
  try {
    return process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (isGone(error)) return false
    throw error
  }
}
