// What an earlier pass has told the sidecar: where it stands in for the server, or for a bridge before it, and before which
// port it was put. Pure.

import { CONFIG_VARIABLE } from '../../shared/names.ts'
import {
  parseSidecarConfig,
  type SidecarConfig,
  type StandIn,
} from '../../shared/sidecar-config.ts'
import { objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { isOwnPort } from './collisions.ts'
import { unescapeExpansion } from './command.ts'
import { nameOf } from './pod.ts'

const read = (sidecar: JsonObject): SidecarConfig | undefined => {
  const variable = objectsAt(sidecar, 'env').find((item) => nameOf(item) === CONFIG_VARIABLE)
  try {
    const document: unknown = JSON.parse(unescapeExpansion(stringAt(variable, 'value') ?? ''))
    const config = parseSidecarConfig(document)
    return config.ok ? config.value : undefined
  } catch {
    return undefined
  }
}

const documents = new WeakMap<JsonObject, { readonly config: SidecarConfig | undefined }>()

/** The document that a pod's sidecar was given, read once; undefined where there is none that we could have written. */
export const documentOf = (sidecar: JsonObject | undefined): SidecarConfig | undefined => {
  if (!sidecar) return undefined
  const known = documents.get(sidecar) ?? { config: read(sidecar) }
  documents.set(sidecar, known)
  return known.config
}

/** Where it stands in: at one port, as injection writes it; none where there is no earlier pass. */
export const standInsOf = (sidecar: JsonObject | undefined): readonly StandIn[] =>
  (documentOf(sidecar)?.standIns ?? []).slice(0, 1).filter(({ port }) => !isOwnPort(port))

/** The server's port, where that can be reached beside the sidecar: it speaks HTTP, and nothing holds it on loopback. */
export const portBeside = (sidecar: JsonObject | undefined): number | undefined => {
  const { settings, standIns = [] } = documentOf(sidecar) ?? {}
  const port = settings?.transport === 'stdio' ? undefined : settings?.port
  return standIns.some((standIn) => standIn.port === port) ? undefined : port
}

/** The same where a Service may lead to the sidecar instead: one of a server that speaks TLS only where the sidecar does. */
export const portToLead = (sidecar: JsonObject | undefined): number | undefined => {
  const { settings, tls } = documentOf(sidecar) ?? {}
  return settings?.scheme === 'https' && tls === undefined ? undefined : portBeside(sidecar)
}
