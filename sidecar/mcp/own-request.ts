// The requests that the sidecar makes itself, and whom it says it is. Pure. They stand for nobody: no feature of a
// client's is promised.

import { VERSION } from '../../shared/names.ts'
import { readJson } from '../json/text.ts'
import { oneMessage, type Request } from './message.ts'
import { CAPABILITIES_KEY, CLIENT_KEY, VERSION_KEY } from './meta.ts'
import { LATEST_LEGACY } from './revision.ts'

const CLIENT = { name: 'outrigger', version: VERSION }

/** The `_meta` that each modern request needs. */
export const modernMeta = (version: string): Readonly<Record<string, unknown>> => ({
  [VERSION_KEY]: version,
  [CAPABILITIES_KEY]: {},
  [CLIENT_KEY]: CLIENT,
})

/** A request in our own words; its id is replaced where it is sent. */
export const ownRequest = (method: string, params: unknown): Request => {
  const json = readJson(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 0, method, params })))
  const message = json.ok ? oneMessage(json.value) : undefined
  if (!message?.ok || message.value.kind !== 'request') throw new Error(`${method} is no request`)
  return message.value
}

/** Our own `initialize`, in the newest revision. */
export const ownInitialize = (): Request =>
  ownRequest('initialize', {
    protocolVersion: LATEST_LEGACY,
    capabilities: {},
    clientInfo: CLIENT,
  })
