// What the floor demands of every server, and a pod lacks. Pure.

import { PREFIX } from '../../shared/annotations.ts'
import type { Settings } from '../../shared/settings.ts'
import type { Floor } from './floor.ts'
import { violation, type Violation } from './violation.ts'

export const demandViolations = (
  settings: Settings,
  { requireToolPolicy }: Pick<Floor, 'requireToolPolicy'>,
): readonly Violation[] =>
  requireToolPolicy && settings['tool-policy'] === undefined
    ? [
        violation(
          'incomplete',
          `${PREFIX}tool-policy is missing: the cluster configuration demands a tool policy of every server (floor.requireToolPolicy); name the ConfigMap of this namespace whose key policy.yaml says who may call what`,
          'tool-policy',
        ),
      ]
    : []
