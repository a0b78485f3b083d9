// A legacy request as the modern era has it: its `_meta` says what `initialize` has said for the session, and headers say
// what its body does. Every other byte stays. Pure.

import { subjectOf } from '../mcp/era.ts'
import { encodeHeader } from '../mcp/header-value.ts'
import type { JsonObject } from '../json/scan.ts'
import type { Request } from '../mcp/message.ts'
import { MODERN } from '../mcp/revision.ts'
import { rewrite, type Edit, type Edited } from '../mcp/rewrite.ts'
import { legacyRequest } from '../translation/legacy-request.ts'

export interface Added {
  /** The id under which the server has it. */
  readonly id: number
  /** Members of `_meta`, JSON text. */
  readonly meta: string
  /** Members of its parameters, JSON text; often none. */
  readonly params?: string
}

/** Puts members in front of those that an object has. */
export const inFront = (
  { start, members }: Pick<JsonObject, 'start' | 'members'>,
  text: string,
): Edit => ({
  start: start + 1,
  end: start + 1,
  text: members.length === 0 ? text : `${text},`,
})

const paramsEdits = (request: Request, own: string, more: string | undefined): readonly Edit[] => {
  const { params, meta, envelope } = request
  const behind = more === undefined ? '' : `,${more}`
  if (!params) {
    const at = envelope.end - 1
    return [{ start: at, end: at, text: `,"params":{"_meta":{${own}}${behind}}` }]
  }
  if (!meta) return [inFront(params, `"_meta":{${own}}${behind}`)]
  const inMeta = inFront(meta, own)
  return more === undefined ? [inMeta] : [inFront(params, more), inMeta]
}

/** Whatever the client says in the protocol's own name gives way. */
export const modernText = ({ request, edits }: Edited, { id, meta, params }: Added): string => {
  const plain = legacyRequest(request)
  const place = { start: request.id.start, end: request.id.end, text: `${id}` }
  const own = paramsEdits(plain.request, meta, params)
  // Its id may be another than it was sent by first.
  const others = edits.filter(({ start }) => start !== place.start)
  return rewrite(request.text, [place, ...others, ...own, ...plain.edits])
}

/** The headers that a server over HTTP wants with it. */
export const modernHeaders = (request: Request): Readonly<Record<string, string>> => {
  const subject = subjectOf(request)
  return {
    'mcp-protocol-version': MODERN,
    'mcp-method': request.method,
    ...(subject === undefined ? {} : { 'mcp-name': encodeHeader(subject) }),
  }
}
