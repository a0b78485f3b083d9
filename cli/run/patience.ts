// Whoever waits for a server's first answer is told so, ever more rarely: after 2 s, 4 s, 8 s and so on.

const FIRST_MS = 2000

/** Calls back with a sentence whenever it is due, as long as there is time; returns how to end that. */
export const tellWaiting = (
  tell: (sentence: string) => void,
  startupTimeoutMs: number,
  /** Where the answer is to come from, and what is known so far. */
  about = (): string => 'on stdout',
): (() => void) => {
  const allS = startupTimeoutMs / 1000
  let timer: NodeJS.Timeout | undefined
  const after = (waitedMs: number, delayMs: number): void => {
    timer = setTimeout(() => {
      const sinceMs = waitedMs + delayMs
      if (sinceMs >= startupTimeoutMs) return
      const sinceS = sinceMs / 1000
      tell(
        `waiting for the server's first answer ${about()}, ${sinceS} s of ${allS} (startup-timeout)`,
      )
      after(sinceMs, sinceMs)
    }, delayMs)
  }
  after(0, FIRST_MS)
  return () => clearTimeout(timer)
}
