// The time that passes, for those who are handed it as an argument.

import { setTimeout as after } from 'node:timers/promises'

/** Resolves after a time, or at once when the signal is given. */
export const sleep = async (ms: number, signal: AbortSignal): Promise<void> => {
  await after(ms, undefined, { signal }).catch(() => undefined)
}

/** Calls back once after a time; what it gives calls that off. */
export const schedule = (callback: () => void, delayMs: number): (() => void) => {
  const timer = setTimeout(callback, delayMs)
  return () => clearTimeout(timer)
}
