// The limits of the sidecar's container, which others may set within the floor's. Pure.

import { at, type JsonObject } from '../../shared/json.ts'
import type { Floor } from '../settings/floor.ts'
import { limitOf, quantityOf, type Resource } from '../settings/quantity.ts'

/** The floor's bound of each. */
const BOUNDS = { cpu: 'maxSidecarCpu', memory: 'maxSidecarMemory' } as const

/** What is wrong with one of them as it stands. */
export const limitFault = (
  sidecar: JsonObject | undefined,
  name: Resource,
  floor: Pick<Floor, (typeof BOUNDS)[Resource]>,
): string | undefined => {
  const place = `resources.limits.${name}`
  const limit = limitOf(at(sidecar, 'resources', 'limits', name))
  if (limit === undefined) return `${place} is missing`
  const bound = BOUNDS[name]
  return limit > (quantityOf(floor[bound]) ?? limit)
    ? `${place} is more than floor.${bound}`
    : undefined
}
