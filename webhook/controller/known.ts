// What the controller goes by when it puts a workload right.

import type { Namespace, Service } from '../cluster/namespace.ts'
import type { Member, Place } from '../companions/member.ts'
import type { OtherPolicy } from '../companions/other-policy.ts'
import type { ApiServerPlace } from '../companions/reach.ts'
import type { Standing } from './standing.ts'

/** What is followed, as far as it is known. */
export interface Known {
  readonly namespace: (name: string) => Namespace | undefined
  readonly members: (key: string) => readonly Member[]
  /** Pods of a workload that wait for its policy, those that had no room among its members, too. */
  readonly waiting: (key: string) => readonly Place[]
  readonly hasMembers: (namespace: string) => boolean
  readonly standing: (kind: string, namespace: string, name: string) => Standing | undefined
  readonly standingOf: (key: string) => readonly Standing[]
  readonly servicesOf: (namespace: string) => readonly Service[]
  readonly everyService: () => readonly Service[]
  readonly otherPolicies: (namespace: string) => readonly OtherPolicy[]
  /** Empty while nobody knows. */
  readonly apiServer: () => readonly ApiServerPlace[]
  /** Not all pods of a workload, or of a namespace, are known. */
  readonly isPartial: (key: string) => boolean
}
