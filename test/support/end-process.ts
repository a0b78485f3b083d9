// Ends a process from outside, which may have ended by itself a moment before.

import { codeOf } from '../../shared/error-code.ts'

/** Kills a process that need not be there any more; whether it was still there. */
export const endProcess = (pid: number): boolean => {
  try {
    return process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false
    throw error
  }
}
