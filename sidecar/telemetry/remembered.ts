// What was worked out for a text, kept for when it comes again, as tools' names do. Bounded: when it is full it begins
// anew, and what is long is worked out each time.

const MAX_KEPT = 1024
const MAX_LENGTH = 512

/** `more`: what the work needs, where the text says all of it. */
export const remembered = <T extends string | object, More = void>(
  work: (text: string, more: More) => T,
): ((text: string, more: More) => T) => {
  const kept = new Map<string, T>()
  return (text, more) => {
    const known = kept.get(text)
    if (known !== undefined) return known
    const found = work(text, more)
    if (text.length > MAX_LENGTH) return found
    if (kept.size >= MAX_KEPT) kept.clear()
    kept.set(text, found)
    return found
  }
}
