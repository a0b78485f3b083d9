// Limits of every container that runs: its own, or the pod's as a whole. Pure.

import { isUnlimited, RESOURCES } from '../settings/quantity.ts'
import type { Check } from './judged.ts'

export const limits: Check = ({ pod, containers }) =>
  containers
    // What is put into a running pod can have none.
    .filter(({ list }) => list !== 'ephemeralContainers')
    .flatMap(({ where, container }) =>
      RESOURCES.filter((name) => isUnlimited(pod, container, name)).map((name) => ({
        where,
        found: `no limit for ${name}`,
        part: name,
      })),
    )
