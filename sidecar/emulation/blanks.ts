// Takes members out of an object and leaves white space in their place, so that every other byte stays where it is. Pure.

import type { JsonObject, Member } from '../json/scan.ts'
import type { Edit } from '../mcp/rewrite.ts'

const blank = (start: number, end: number): Edit => ({ start, end, text: ' '.repeat(end - start) })

/** Each goes with the comma that it needs no more. */
export const blanks = (
  text: string,
  { start, members }: JsonObject,
  isGone: (one: Member) => boolean,
): readonly Edit[] => {
  const edits: Edit[] = []
  let from = start + 1
  let isFirst = true
  for (const one of members) {
    if (isGone(one)) edits.push(blank(from, one.end))
    else {
      const comma = isFirst && edits.length > 0 ? text.indexOf(',', from) : -1
      if (comma !== -1) edits.push(blank(comma, comma + 1))
      isFirst = false
    }
    from = one.end
  }
  return edits
}
