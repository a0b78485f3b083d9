// Waiting for something outside this process: asks again until it is so, and names what was
// awaited when it never came. It measures nothing and decides nothing.

import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '../../../shared/message.ts'

const PAUSE_MS = 50

/** Asks until the answer is not undefined; throws with the last failure after `seconds`. */
export const waitFor = async <T>(
  what: string,
  ask: () => Promise<T | undefined>,
  seconds = 60,
): Promise<T> => {
  const end = performance.now() + seconds * 1000
  let failure = ''
  while (performance.now() < end) {
    try {
      const answer = await ask()
      if (answer !== undefined) return answer
      failure = ''
    } catch (error) {
      if (error instanceof Doomed) throw error
      failure = `; last: ${messageOf(error)}`
    }
    await pause(PAUSE_MS)
  }
  throw new Error(`${what}: not within ${seconds} s${failure}`)
}

/** Thrown by a question that can no longer be answered, so that nobody waits for the limit. */
export class Doomed extends Error {
  override readonly name = 'Doomed'
}
