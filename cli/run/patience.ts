// Whoever waits for a server's first answer is told so, ever more rarely: after 2 s, 4 s, 8 s and so on.

const FIRST_MS = 2000

/** Calls back with a sentence whenever it is due; returns how to end that. */
export const tellWaiting = (
  tell: (sentence: string) => void,
  startupTimeoutMs: number,
): (() => void) => {
  const allS = startupTimeoutMs / 1000
  let timer: NodeJS.Timeout | undefined
  const after = (waitedMs: number, delayMs: number): void => {
    timer = setTimeout(() => {
      const sinceMs = waitedMs + delayMs
      tell(
        `waiting for the server's first answer on stdout, ${sinceMs / 1000} s of ${allS} (startup-timeout)`,
      )
      after(sinceMs, sinceMs)
    }, delayMs)
  }
  after(0, FIRST_MS)
  return () => clearTimeout(timer)
}
