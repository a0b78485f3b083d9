// Keeps the look of a document that was changed: lines that the change did not touch stay as their
// author wrote them. The tree is written twice, unchanged and changed; where the unchanged writing
// is the author's text line for line but for white space, its lines are taken from there. Pure.

const bare = (line: string): string => line.replaceAll(/\s/g, '')

// Beyond this the comparison of lines would take long; the document is then written anew.
const MAX_LINES = 5000

type Lines = readonly string[]

/** Longest common subsequence: its length for every pair of ends, read by the two positions. */
const commonLengths = (from: Lines, to: Lines): ((i: number, j: number) => number) => {
  const width = to.length + 1
  const lengths = new Uint16Array((from.length + 1) * width)
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0
  for (let i = from.length - 1; i >= 0; i -= 1) {
    for (let j = to.length - 1; j >= 0; j -= 1) {
      const isSame = from[i] === to[j]
      lengths[i * width + j] = isSame ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  return at
}

/** Pairs of positions, in order, at which both have the same line. */
const commonLines = (from: Lines, to: Lines): ReadonlyMap<number, number> => {
  const length = commonLengths(from, to)
  const pairs = new Map<number, number>()
  let [i, j] = [0, 0]
  while (i < from.length && j < to.length) {
    const isSame = from[i] === to[j]
    if (isSame) pairs.set(j, i)
    const [next, other] = [length(i + 1, j), length(i, j + 1)]
    if (isSame || next >= other) i += 1
    if (isSame || next < other) j += 1
  }
  return pairs
}

/** The changed writing with the author's own lines in the place of those that did not change. */
export const graft = (source: string, unchanged: string, changed: string): string => {
  const [own, before, after] = [source, unchanged, changed].map((text) => text.split('\n'))
  if (!own || !before || !after || before.length > MAX_LINES || after.length > MAX_LINES)
    return changed
  const isSame =
    own.length === before.length && own.every((line, i) => bare(line) === bare(before[i] ?? ''))
  if (!isSame) return changed
  const pairs = commonLines(before, after)
  return after.map((line, index) => own[pairs.get(index) ?? -1] ?? line).join('\n')
}
