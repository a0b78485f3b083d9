// Long work in short pieces, so that who is served by the same thread is served meanwhile. Such work is a generator that
// yields where it can be left; what it gives is the same either way.

export type Sliced<T> = Generator<undefined, T, undefined>

/** So long at a time. */
const SLICE_MS = 10

/** All of it now. */
export const atOnce = <T>(work: Sliced<T>): T => {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}

/** A slice a turn; `rest` ends with the turn. */
export const inSlices = async <T>(
  work: Sliced<T>,
  now: () => number,
  rest: () => Promise<unknown>,
): Promise<T> => {
  for (let beganMs = now(); ;) {
    const step = work.next()
    if (step.done === true) return step.value
    if (now() - beganMs < SLICE_MS) continue
    // One slice after the other is what it is for.
    // oxlint-disable-next-line no-await-in-loop
    await rest()
    beganMs = now()
  }
}
