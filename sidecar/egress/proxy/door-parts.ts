// What both doors of the proxy have: who is behind a credential, and what becomes of whoever is known.

import type { Cluster } from '../../../shared/host-name.ts'
import type { Desk } from './desk.ts'
import type { Visitors } from './visitors.ts'
import type { Client, Credential, Stranger } from './watch.ts'

export interface DoorParts {
  readonly desk: Desk
  readonly visitors: Visitors
  readonly cluster: Cluster | undefined
  readonly whoIs: (credential: Credential) => Client | undefined
  readonly stranger: (why: Stranger) => void
}
