// What a modern client may ask where the server is legacy. Pure. What the modern revision has taken out would change a
// process for whoever has it next; what is not translated yet is refused by name.

import { fault, type Fault } from '../mcp/faults.ts'
import { member, type Request } from '../mcp/message.ts'
import { SUBSCRIBE } from '../mcp/meta.ts'
import { MODERN } from '../mcp/revision.ts'

export const DISCOVER = 'server/discover'

const REMOVED = new Set([
  'initialize',
  'ping',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
])
const TASKS = /^tasks\//
const notFound = (message: string): Fault => fault('method-not-found', message)

/** Why a request goes nowhere; undefined where it goes on. */
export const refusalOf = ({ method }: Request): Fault | undefined => {
  if (REMOVED.has(method)) return notFound(`${MODERN} has no ${method}`)
  if (method === SUBSCRIBE || TASKS.test(method)) {
    return notFound(
      `${method} is not translated for this server, which knows only older revisions; a client that sends initialize has what these have in its place`,
    )
  }
  return undefined
}

/** Whether a request brings what its client was asked for. */
export const isLaterRound = ({ params }: Request): boolean =>
  member(params, 'requestState') !== undefined || member(params, 'inputResponses') !== undefined
