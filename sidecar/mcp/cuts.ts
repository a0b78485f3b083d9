// Which stretches of a text go with members that are taken out of an object. Pure.

import type { JsonObject, Member, Span } from '../json/scan.ts'

/** Each goes with its name, and with the comma that it needs no more. */
export const cuts = (
  text: string,
  { start, members }: JsonObject,
  isGone: (one: Member) => boolean,
): readonly Span[] => {
  const found: Span[] = []
  let from = start + 1
  let isFirst = true
  for (const one of members) {
    if (isGone(one)) found.push({ start: from, end: one.end })
    else {
      const comma = isFirst && found.length > 0 ? text.indexOf(',', from) : -1
      if (comma !== -1) found.push({ start: comma, end: comma + 1 })
      isFirst = false
    }
    from = one.end
  }
  return found
}
