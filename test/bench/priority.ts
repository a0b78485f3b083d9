// Keeps others' work on the machine out of a bench's figures, where the system lets it.

import { execFileSync } from 'node:child_process'

/**
 * Gives this process, and whatever it starts from now on, real-time scheduling by turns: others' work waits, but for
 * the 5 % that Linux keeps for it. Says what came of it; without the right to it the bench shares the machine.
 */
export const preferThis = (): string => {
  try {
    execFileSync('chrt', ['--rr', '--pid', '1', String(process.pid)], { stdio: 'ignore' })
    return 'scheduled before all other work (SCHED_RR)'
  } catch {
    return 'scheduled among other work (no right to SCHED_RR): the figures need a quiet machine'
  }
}
