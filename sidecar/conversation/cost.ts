// What a request takes while it waits, be it for its turn or for a process: its text, and where its members stand, which
// can be ten times as much. What its connection takes has its bound there. Pure.

import { SMALL_BYTES, type Lease } from '../bytes/budget.ts'
import type { JsonObject } from '../json/scan.ts'
import type { Request } from '../mcp/message.ts'

/** Where one member stands, and its name. */
const MEMBER_BYTES = 96

const membersIn = (object: JsonObject | undefined): number => object?.members.length ?? 0

export const costOf = (request: Request): number => {
  const { text, envelope, meta } = request
  const values = envelope.members.reduce((sum, { object }) => sum + membersIn(object), 0)
  const members = membersIn(envelope) + values + membersIn(meta)
  return text.length + members * MEMBER_BYTES
}

/** Keeps the place of a request that waits for a process; false where too many do. A large one has its place as a body. */
export const keepPlace = (lease: Lease, request: Request): boolean =>
  request.text.length > SMALL_BYTES || lease.keep(costOf(request))
