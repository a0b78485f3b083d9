// A server's own paths on our listeners, for whoever may call us at all: Host and Origin are judged as for MCP.

import type { ListenerOptions } from '../http/listener.ts'
import { answerUnread } from '../http/unread.ts'
import type { OpenPaths } from '../server/open-paths.ts'
import { originFault, type OriginRules } from './origin.ts'

/** What a listener needs for them. */
export const otherPaths = (
  paths: OpenPaths,
  rules: OriginRules,
): Pick<ListenerOptions, 'serveOther' | 'advice'> => ({
  serveOther: (request, reply) => {
    const refused = originFault(rules, request.headers, request.rawHeaders)
    if (!refused) return paths.serve(request, reply)
    answerUnread(request, reply, () => reply.fault(refused))
    return true
  },
  advice: '; a path of the server passes where outrigger.dev/open-paths names it',
})
