// What the floor demands of every server, and a pod lacks. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import type { Settings } from '../../shared/settings.ts'
import type { Floor } from './floor.ts'
import { violation, type Violation } from './violation.ts'

interface Demand {
  readonly key: 'tool-policy' | 'tool-lock'
  readonly by: keyof Floor & `require${string}`
  /** What there has to be, and what the ConfigMap holds. */
  readonly what: string
  readonly holds: string
}

const DEMANDS: readonly Demand[] = [
  {
    key: 'tool-policy',
    by: 'requireToolPolicy',
    what: 'a tool policy',
    holds: 'key policy.yaml says who may call what',
  },
  {
    key: 'tool-lock',
    by: 'requireToolLock',
    what: 'a tool lock',
    holds: 'key lock.yaml says what the server lists (outrigger tools lock writes it)',
  },
]

/** `met`: what the floor itself brings for this server. */
export const demandViolations = (
  settings: Settings,
  floor: Pick<Floor, Demand['by']>,
  met: ReadonlySet<Demand['key']>,
): readonly Violation[] =>
  DEMANDS.flatMap(({ key, by, what, holds }) =>
    floor[by] && settings[key] === undefined && !met.has(key)
      ? violation(
          'incomplete',
          `${PREFIX}${key} is missing: the cluster configuration demands ${what} of every server (floor.${by}); name the ConfigMap of this namespace whose ${holds}`,
          key,
        )
      : [],
  )
