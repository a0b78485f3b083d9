// The ServiceAccount of one server, for pods that would run by their namespace's `default` otherwise: it may nothing, and its
// tokens are mounted nowhere by itself. Pure.

import type { JsonObject } from '../../shared/json.ts'
import { ownAccountName } from '../inject/own-account.ts'
import { companionLabels } from './companions.ts'
import type { Owner } from './member.ts'

export interface Accountable {
  readonly namespace: string
  readonly server: string
  /** With whom it goes. */
  readonly owner: Owner
}

export const accountOf = ({ namespace, server, owner }: Accountable): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: {
    name: ownAccountName(server),
    namespace,
    labels: companionLabels(server),
    ownerReferences: [{ ...owner }],
  },
  automountServiceAccountToken: false,
})
