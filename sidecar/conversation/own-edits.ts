// What stands in a request in the place of its client's, and how it is sent so.

import type { Span } from '../json/scan.ts'
import type { Fault } from '../mcp/faults.ts'
import { slice, type Request } from '../mcp/message.ts'
import { tokenLike } from '../mcp/own-id.ts'
import { NO_EDITS, rewrite, type Edit, type Edited } from '../mcp/rewrite.ts'
import type { Envelope, Link } from '../server/link.ts'

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

/** Sends a request with its edits made; `isPlain`: values are replaced, and nothing is added beside what a link adds. */
export const sendEdited = (
  link: Pick<Link, 'ask' | 'send'>,
  asked: Edited,
  envelope: Envelope,
  isPlain: boolean,
): Fault | undefined =>
  isPlain && link.ask
    ? link.ask(asked, envelope)
    : link.send(rewrite(asked.request.text, asked.edits), envelope)
