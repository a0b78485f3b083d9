// A number and what it counts, for people.

export const plural = (many: number, word: string): string =>
  `${many} ${word}${many === 1 ? '' : 's'}`
