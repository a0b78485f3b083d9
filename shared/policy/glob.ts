// Patterns over names: every character stands for itself, but `*`, which stands for any run of characters, none too. No
// regular expression: whoever names a tool, or a resource, must not choose how long we look. Pure.

export interface Glob {
  readonly text: string
  /** Whether it holds no `*`, so that one name alone can match. */
  readonly isExact: boolean
  readonly matches: (name: string) => boolean
}

/** A run of characters between two stars is looked for once, from where the one before has ended. */
const inOrder = (parts: readonly string[], name: string): boolean => {
  const last = parts.length - 1
  const [first = '', end = ''] = [parts[0], parts[last]]
  if (name.length < first.length + end.length) return false
  if (!name.startsWith(first) || !name.endsWith(end)) return false
  let at = first.length
  for (let index = 1; index < last; index += 1) {
    const part = parts[index] ?? ''
    const found = name.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return at <= name.length - end.length
}

export const globOf = (text: string): Glob => {
  const parts = text.split(/\*+/)
  return parts.length === 1
    ? { text, isExact: true, matches: (name) => name === text }
    : { text, isExact: false, matches: (name) => inOrder(parts, name) }
}

/** Whether one of two texts begins, or ends, with the other. */
const begin = (a: string, b: string): boolean => a.startsWith(b) || b.startsWith(a)
const end = (a: string, b: string): boolean => a.endsWith(b) || b.endsWith(a)

/**
 * Whether there is a name that both match. Where both have a star, whatever stands between the longer beginning and the
 * longer end is a name's: first what the one asks for, then the other.
 */
export const overlaps = (a: string, b: string): boolean => {
  const [left, right] = [globOf(a), globOf(b)]
  if (left.isExact) return right.matches(a)
  if (right.isExact) return left.matches(b)
  const behind = (text: string): string => text.slice(text.lastIndexOf('*') + 1)
  const before = (text: string): string => text.slice(0, text.indexOf('*'))
  return begin(before(a), before(b)) && end(behind(a), behind(b))
}

/** Whether each name that `narrow` matches is one that `wide` matches: a star is then a character like no other. */
export const covers = (wide: Glob, narrow: string): boolean =>
  wide.matches(narrow.replaceAll(/\*+/g, '\0')) || wide.text === narrow
