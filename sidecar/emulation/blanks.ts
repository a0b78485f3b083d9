// Takes members out of an object and leaves white space in their place, so that every other byte stays where it is. Pure.

import type { JsonObject, Member } from '../json/scan.ts'
import { cuts } from '../mcp/cuts.ts'
import type { Edit } from '../mcp/rewrite.ts'

export const blanks = (
  text: string,
  object: JsonObject,
  isGone: (one: Member) => boolean,
): readonly Edit[] =>
  cuts(text, object, isGone).map(({ start, end }) => ({
    start,
    end,
    text: ' '.repeat(end - start),
  }))
