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

/** A glob's characters; a run of stars is one. */
const charactersOf = (text: string): readonly string[] => text.replaceAll(/\*+/g, '*').split('')

/** What stands before the first star. */
const headOf = (text: string): string => text.slice(0, (text + '*').indexOf('*'))

/**
 * Whether a star here can take the other's next character, or none. `withoutX`, `withoutY`: whether the rest fits
 * without this character of the one, of the other.
 */
const skips = (
  x: string | undefined,
  y: string | undefined,
  withoutX: boolean,
  withoutY: boolean,
): boolean => (x !== undefined && withoutX) || (y !== undefined && withoutY)

/** Whether there is a name that both match. Steps are the product of their lengths, which their makers bound. */
export const overlaps = (a: string, b: string): boolean => {
  const [headA, headB] = [headOf(a), headOf(b)]
  if (!headA.startsWith(headB) && !headB.startsWith(headA)) return false
  const [left, right] = [charactersOf(a), charactersOf(b)]
  // At j: whether what is left of `a` from here, and of `b` from j, can be the same text.
  let reach: readonly boolean[] = []
  for (let i = left.length; i >= 0; i -= 1) reach = rowAbove(left[i], right, reach)
  return reach[0] === true
}

const rowAbove = (
  x: string | undefined,
  right: readonly string[],
  below: readonly boolean[],
): readonly boolean[] => {
  const row: boolean[] = []
  for (let j = right.length; j >= 0; j -= 1) {
    const y = right[j]
    row[j] =
      x === '*' || y === '*'
        ? skips(x, y, below[j] ?? false, row[j + 1] ?? false)
        : x === y && (x === undefined || below[j + 1] === true)
  }
  return row
}

/** Whether each name that `narrow` matches is one that `wide` matches: a star is then a character like no other. */
export const covers = (wide: Glob, narrow: string): boolean =>
  wide.matches(narrow.replaceAll(/\*+/g, '\0')) || wide.text === narrow
