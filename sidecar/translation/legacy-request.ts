// A modern request as the legacy era has it: without the members of `_meta` that carry what `initialize` has said for its
// process. Every other byte stays. Pure.

import type { Member } from '../json/scan.ts'
import { cuts } from '../mcp/cuts.ts'
import type { Request } from '../mcp/message.ts'
import { NO_EDITS, type Edited } from '../mcp/rewrite.ts'

/** Of the protocol's own: what the legacy era says once for all. */
const ENVELOPE = 'io.modelcontextprotocol/'

const isEnvelope = ({ name }: Member): boolean => name.startsWith(ENVELOPE)

export const legacyRequest = (request: Request): Edited => {
  const { text, meta } = request
  if (!meta?.members.some(isEnvelope)) return { request, edits: NO_EDITS }
  const members = meta.members.filter((one) => !isEnvelope(one))
  const edits = cuts(text, meta, isEnvelope).map(({ start, end }) => ({ start, end, text: '' }))
  return { request: { ...request, meta: { ...meta, members } }, edits }
}
