// What is answered besides MCP: where tokens are to be had, then what the server has itself.

import type { ListenerOptions } from '../http/listener.ts'
import type { Trust } from '../identity/trust.ts'
import type { McpServer } from '../server/server.ts'
import type { OriginRules } from './origin.ts'
import { otherPaths } from './other-paths.ts'
import { resourceMetadata } from './resource-metadata.ts'

export const besideMcp = (
  { openPaths }: Pick<McpServer, 'openPaths'>,
  trust: Trust | undefined,
  rules: OriginRules,
): Pick<ListenerOptions, 'serveOther' | 'advice'> => {
  const open = openPaths ? otherPaths(openPaths, rules) : {}
  if (!trust) return open
  const metadata = resourceMetadata(trust.resource, rules)
  return {
    ...open,
    serveOther: (request, reply, isEndpoint) =>
      metadata(request, reply, isEndpoint) ||
      (open.serveOther?.(request, reply, isEndpoint) ?? false),
  }
}
