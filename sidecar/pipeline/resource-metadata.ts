// The protected resource's metadata (RFC 9728, section 3), for whoever may call us at all: who has no token yet reads here
// where to get one.

import type { IncomingMessage } from 'node:http'
import type { ServeOther } from '../http/listener.ts'
import { plainPath } from '../http/target.ts'
import { answerUnread } from '../http/unread.ts'
import type { Asked, Resource } from '../identity/resource.ts'
import { originFault, type OriginRules } from './origin.ts'

/** By what a caller of the endpoint knows it, and how it calls. */
export const askedBy = ({ url = '', headers }: IncomingMessage): Asked => ({
  host: headers.host,
  path: plainPath(url),
  scheme: /^dpop\b/i.test(headers.authorization ?? '') ? 'DPoP' : 'Bearer',
})

export const resourceMetadata =
  (resource: Resource, rules: OriginRules): ServeOther =>
  (request, reply, isEndpoint) => {
    const { host, path: place } = askedBy(request)
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    const path = isRead ? resource.pathOf(place, isEndpoint) : undefined
    if (path === undefined) return false
    const refused = originFault(rules, request.headers, request.rawHeaders)
    answerUnread(request, reply, () => {
      if (refused) reply.fault(refused)
      else reply.json(resource.metadata({ host, path }))
    })
    return true
  }
