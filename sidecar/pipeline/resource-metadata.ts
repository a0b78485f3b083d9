// The protected resource's metadata (RFC 9728, section 3), for whoever may call us at all: who has no token yet reads here
// where to get one.

import type { ServeOther } from '../http/listener.ts'
import { answerUnread } from '../http/unread.ts'
import type { Resource } from '../identity/resource.ts'
import { originFault, type OriginRules } from './origin.ts'

export const resourceMetadata =
  (resource: Resource, rules: OriginRules): ServeOther =>
  (request, reply) => {
    const [path = ''] = (request.url ?? '').split('?', 1)
    if (request.method !== 'GET' || !resource.isMetadataPath(path)) return false
    const refused = originFault(rules, request.headers, request.rawHeaders)
    answerUnread(request, reply, () => {
      if (refused) reply.fault(refused)
      else reply.json(resource.metadata(request.headers.host))
    })
    return true
  }
