// Where the sidecar of an earlier pass stands in for the server, or for a bridge before it, by the document that it was
// given. Pure.

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

/** The document that a pod's sidecar was given; undefined where there is none that we could have written. */
export const documentOf = (sidecar: JsonObject | undefined): SidecarConfig | undefined => {
  const variable = objectsAt(sidecar, 'env').find((item) => nameOf(item) === CONFIG_VARIABLE)
  try {
    const document: unknown = JSON.parse(unescapeExpansion(stringAt(variable, 'value') ?? ''))
    const config = parseSidecarConfig(document)
    return config.ok ? config.value : undefined
  } catch {
    return undefined
  }
}

/** None where there is none; a forged sidecar gains no more than its author may write. */
export const standInsOf = (sidecar: JsonObject | undefined): readonly StandIn[] =>
  (documentOf(sidecar)?.standIns ?? []).filter(({ port }) => !isOwnPort(port))
