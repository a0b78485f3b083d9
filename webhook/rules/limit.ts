// Limits of every container that runs: its own, or the pod's as a whole. Pure.

import { at } from '../../shared/json.ts'
import { limitOf } from '../settings/quantity.ts'
import type { Check } from './judged.ts'

const RESOURCES = ['cpu', 'memory'] as const

export const limits: Check = ({ pod, containers }) =>
  containers
    // What is put into a running pod can have none.
    .filter(({ list }) => list !== 'ephemeralContainers')
    .flatMap(({ where, container }) =>
      RESOURCES.filter(
        (name) =>
          limitOf(at(container, 'resources', 'limits', name)) === undefined &&
          limitOf(at(pod, 'spec', 'resources', 'limits', name)) === undefined,
      ).map((name) => ({ where, found: `no limit for ${name}`, part: name })),
    )
