// What was worked out for a text, kept for when it comes again, as tools' names do. Bounded: when it is full it begins anew.

const MAX_KEPT = 1024

/** For short texts. */
export const remembered = (work: (text: string) => string): ((text: string) => string) => {
  const kept = new Map<string, string>()
  return (text) => {
    const known = kept.get(text)
    if (known !== undefined) return known
    if (kept.size >= MAX_KEPT) kept.clear()
    const found = work(text)
    kept.set(text, found)
    return found
  }
}
