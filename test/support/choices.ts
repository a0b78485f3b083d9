// Choices from one seeded stream, for what is too varied to be a table.

import { infiniteStream, nat, sample } from 'fast-check'

export interface Choices {
  readonly below: (count: number) => number
  readonly chance: (percent: number) => boolean
  readonly pick: <T>(list: readonly [T, ...T[]]) => T
  /** Some of them, in any order. */
  readonly some: <T>(list: readonly T[], percent: number) => readonly T[]
}

export const choicesOf = (seed: number): Choices => {
  const [stream] = sample(infiniteStream(nat({ max: 2 ** 30 })), { seed, numRuns: 1 })
  const below = (count: number): number => Number(stream?.next().value ?? 0) % count
  const chance = (percent: number): boolean => below(100) < percent
  return {
    below,
    chance,
    pick: (list) => list[below(list.length)] ?? list[0],
    some: (list, percent) => {
      const left = list.filter(() => chance(percent))
      const taken: (typeof left)[number][] = []
      while (left.length > 0) taken.push(...left.splice(below(left.length), 1))
      return taken
    },
  }
}
