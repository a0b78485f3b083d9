// Numbers by chance that are the same ones for the same seed: a failure is found again by its round.

/** A number of 0 to below `most`. */
export type Chance = (most: number) => number

/** The same numbers for the same seed (mulberry32). */
export const chanceOf = (seed: number): Chance => {
  let state = seed
  return (most) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % most
  }
}
