// What stands in a request in the place of its client's. Pure.

import type { Span } from '../json/scan.ts'
import { slice, type Request } from '../mcp/message.ts'
import { tokenLike } from '../mcp/own-id.ts'
import { NO_EDITS, type Edit } from '../mcp/rewrite.ts'

/** Our number in the places of a client's id and progress token; `others` beside that. */
export const ownEdits = (
  request: Request,
  token: Span | undefined,
  id: number,
  others = NO_EDITS,
): Edit[] => {
  const { start, end } = request.id
  const edit = { start, end, text: `${id}` }
  if (token === undefined) return [edit, ...others]
  const text = tokenLike(slice(request.text, token), id)
  return [edit, { start: token.start, end: token.end, text }, ...others]
}
