// The requests that we make ourselves, and whom we say that we are. Pure. They stand for nobody: no feature of a client's
// is promised, but where it is asked what there is for those who have it.

import { VERSION } from '../../shared/names.ts'
import { readJson } from '../json/text.ts'
import { oneMessage, type Request } from './message.ts'
import { CAPABILITIES_KEY, CLIENT_KEY, VERSION_KEY } from './meta.ts'
import { LATEST_LEGACY } from './revision.ts'

const CLIENT = { name: 'outrigger', version: VERSION }

/** What a client may be able to do: servers list some of their tools only to those who can. */
export const ALL_CAPABILITIES = {
  elicitation: { form: {}, url: {} },
  roots: { listChanged: true },
  sampling: { context: {}, tools: {} },
} as const

/** The `_meta` that each modern request needs. */
export const modernMeta = (
  version: string,
  capabilities: object = {},
): Readonly<Record<string, unknown>> => ({
  [VERSION_KEY]: version,
  [CAPABILITIES_KEY]: capabilities,
  [CLIENT_KEY]: CLIENT,
})

/** A request in our own words; its id is replaced where it is sent. */
export const ownRequest = (method: string, params: unknown): Request => {
  const json = readJson(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 0, method, params })))
  const message = json.ok ? oneMessage(json.value) : undefined
  if (!message?.ok || message.value.kind !== 'request') throw new Error(`${method} is no request`)
  return message.value
}

/** What `initialize` says in the newest revision. */
export const initializeParams = (capabilities: object) => ({
  protocolVersion: LATEST_LEGACY,
  capabilities,
  clientInfo: CLIENT,
})

/** Our own `initialize`. */
export const ownInitialize = (): Request => ownRequest('initialize', initializeParams({}))
