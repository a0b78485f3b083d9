// A modern request as the legacy era has it: without the members of `_meta` that carry what `initialize` has said for its
// process. Every other byte stays. Pure.

import { member, slice, type Request } from '../mcp/message.ts'
import { rewrite } from '../mcp/rewrite.ts'
import { jsonText, readAgain } from './own-text.ts'

/** Of the protocol's own: what the legacy era says once for all. */
const ENVELOPE = 'io.modelcontextprotocol/'

export const legacyRequest = (request: Request): Request => {
  const { text, params, meta } = request
  const place = member(params, '_meta')
  if (!meta || !place) return request
  const kept = meta.members.filter(({ name }) => !name.startsWith(ENVELOPE))
  if (kept.length === meta.members.length) return request
  const members = kept.map((one) => `${jsonText(one.name)}:${slice(text, one)}`)
  const edit = { start: place.start, end: place.end, text: `{${members.join(',')}}` }
  const again = readAgain(rewrite(text, [edit]))
  if (again?.kind !== 'request') throw new Error(`${request.method} is no request any more`)
  return again
}
