// A request target in absolute form, as clients send it that take us for a proxy (RFC 9112, section 3.2.2): it is served, and
// its authority stands in the place of the Host header, which is ignored.

import type { IncomingMessage } from 'node:http'
import type { Remarks } from '../mcp/tolerance.ts'

const ABSOLUTE = /^https?:\/\/([^/?#]*)([^#]*)/i

/** Brings a target that is in absolute form into origin form. */
export const toOriginForm = (request: IncomingMessage, remarks: Remarks): void => {
  const { url = '' } = request
  if (url.startsWith('/')) return
  const [, authority, rest = ''] = ABSOLUTE.exec(url) ?? []
  if (authority === undefined) return
  // HTTP/1.0 may come without: what is counted in one list is counted in the other.
  if (request.headers.host === undefined) request.rawHeaders.push('Host', authority)
  request.headers.host = authority
  request.url = rest.startsWith('/') ? rest : `/${rest}`
  remarks.tolerated('absolute-target')
}

/** A target's path without its query and without the slash that ingresses and frameworks add. */
export const plainPath = (url: string): string => (url.split('?', 1)[0] ?? '').replace(/\/$/, '')
