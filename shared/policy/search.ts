// Whether a text holds another, in time that grows with both and never with their product: whoever calls may choose both.
// Pure.

/** The engine's own search looks at each character so often at most, and is faster than that as a rule. */
const SHORT_PART = 1000

/** For each beginning of the part: how long its longest end is that the part begins with (Knuth, Morris, Pratt). */
const overlapsOf = (part: string): Int32Array => {
  const overlaps = new Int32Array(part.length)
  for (let at = 1, length = 0; at < part.length; at += 1) {
    length = grown(part, overlaps, length, part.charCodeAt(at))
    overlaps[at] = length
  }
  return overlaps
}

/** How much of the part has been seen with one more character. */
const grown = (part: string, overlaps: Int32Array, length: number, code: number): number => {
  let seen = length
  while (seen > 0 && part.charCodeAt(seen) !== code) seen = overlaps[seen - 1] ?? 0
  return part.charCodeAt(seen) === code ? seen + 1 : seen
}

export const holdsText = (text: string, part: string): boolean => {
  if (part.length <= SHORT_PART) return text.includes(part)
  if (part.length > text.length) return false
  const overlaps = overlapsOf(part)
  let seen = 0
  for (let at = 0; at < text.length; at += 1) {
    seen = grown(part, overlaps, seen, text.charCodeAt(at))
    if (seen === part.length) return true
  }
  return false
}
