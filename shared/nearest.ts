// The nearest of some words to a mistyped one, by edit distance (insert, delete, replace, swap of
// neighbours). Pure; it says nothing where all are far.

const distance = (a: string, b: string): number => {
  const table: number[][] = []
  const cell = (i: number, j: number): number => table[i]?.[j] ?? Math.max(i, j)
  const edits = (i: number, j: number): number => {
    if (i === 0 || j === 0) return Math.max(i, j)
    const isSame = a[i - 1] === b[j - 1]
    const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
    return Math.min(
      cell(i - 1, j) + 1,
      cell(i, j - 1) + 1,
      cell(i - 1, j - 1) + (isSame ? 0 : 1),
      isSwap ? cell(i - 2, j - 2) + 1 : Infinity,
    )
  }
  for (let i = 0; i <= a.length; i += 1) {
    table[i] = []
    for (let j = 0; j <= b.length; j += 1) table[i]?.push(edits(i, j))
  }
  return cell(a.length, b.length)
}

// Longer than any key of ours by far; beyond it nobody meant one of them.
const MAX_WORD_LENGTH = 64

/** The word meant, or undefined where none is near (a third of its letters, at least one). */
export const nearest = (word: string, words: readonly string[]): string | undefined => {
  if (word.length > MAX_WORD_LENGTH) return undefined
  const lower = word.toLowerCase()
  const [best] = words
    .map((candidate) => ({ candidate, edits: distance(lower, candidate) }))
    .sort((a, b) => a.edits - b.edits)
  return best && best.edits <= Math.max(1, Math.floor(best.candidate.length / 3))
    ? best.candidate
    : undefined
}
