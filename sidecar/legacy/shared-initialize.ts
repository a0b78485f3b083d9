// The initialize request for a process that everybody shares: no client features are promised, since
// a request of the server's could not be told to belong to one client. Pure.

import { member, type Request } from '../mcp/message.ts'
import { LATEST_LEGACY } from '../mcp/revision.ts'
import { oneMessage } from '../mcp/message.ts'
import { readJson } from '../json/text.ts'

const PARAMS = {
  protocolVersion: LATEST_LEGACY,
  capabilities: {},
  clientInfo: { name: 'outrigger', version: '1' },
}

/** The same request with our own parameters in the place of the first client's. */
export const sharedInitialize = (request: Request): Request => {
  const place = member(request.envelope, 'params')
  if (place === undefined) return request
  const text =
    request.text.slice(0, place.start) + JSON.stringify(PARAMS) + request.text.slice(place.end)
  const json = readJson(Buffer.from(text, 'latin1'))
  const message = json.ok ? oneMessage(json.value) : undefined
  return message?.ok && message.value.kind === 'request' ? message.value : request
}
