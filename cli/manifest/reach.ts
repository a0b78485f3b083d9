// By which ports callers reach an injected pod's server, and whether through the sidecar: for `outrigger explain`, read
// from the document that the sidecar gets. Pure.

import { MCP_PATH, MCP_PORT } from '../../shared/names.ts'
import type { JsonObject } from '../../shared/json.ts'
import { speaksHttp } from '../../shared/sidecar-config.ts'
import { documentOf } from '../../webhook/inject/stand-ins.ts'
import { ownSidecar } from '../../webhook/inject/pod.ts'

/** A line for each port. */
export const reachLines = (pod: JsonObject): readonly string[] => {
  const config = documentOf(ownSidecar(pod))
  if (!config) return []
  const { settings, standIns, carriedPorts, isSupervised } = config
  const why = isSupervised ? 'the server is held on loopback' : 'in the place of a bridge'
  const taken = standIns.map(
    ({ port, path }) => `${port}: the sidecar, by ${path ?? "the server's own path"}; ${why}`,
  )
  const carried = carriedPorts.map(
    (port) => `${port}: the server itself, by way of the sidecar, which reads nothing of it`,
  )
  const open =
    speaksHttp(settings) && !isSupervised
      ? [`${settings.port}: the server itself, around the sidecar`]
      : []
  return [`${MCP_PORT}: the sidecar, by ${MCP_PATH}`, ...taken, ...carried, ...open]
}
