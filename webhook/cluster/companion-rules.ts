// What the cluster configuration says of companions: the NetworkPolicies and Services that the controller keeps beside
// injected workloads, and what comes of those. Absent: there are none.

import * as z from 'zod/mini'
import { callerOf } from '../../shared/callers.ts'
import { destinationOf } from '../../shared/destination.ts'
import { destinationFault } from '../../shared/destination-list.ts'

/** Beside the server there is nobody: these are the same for every namespace. */
const isSomebody = (text: string): boolean =>
  !['everybody', 'neighbours', undefined].includes(callerOf(text)?.kind)

const others = z
  .array(
    z
      .string()
      .check(
        z.refine(
          isSomebody,
          'it names nobody: write a namespace (`name`), pods of one (`namespace/label=value`), or addresses, without a port (`10.96.0.10`, `10.0.0.0/8`)',
        ),
      ),
  )
  .check(z.maxLength(64))

const destinations = z
  .array(
    z.string().check(
      z.refine((text) => destinationOf(text)?.local === undefined, {
        error: 'must be a destination, and no forward',
      }),
      z.refine((text) => destinationOf(text) !== undefined, {
        error: ({ input }) =>
          typeof input === 'string' ? destinationFault(input) : 'must be a destination',
      }),
    ),
  )
  .check(z.maxLength(64))

export const companionsSchema = z.strictObject({
  /** Who answers for names: usual Kubernetes, OpenShift, the cache on each node. */
  dns: z._default(others, ['kube-system', 'openshift-dns', '169.254.20.10']),
  /** Whose scrapers reach the sidecars' metrics. */
  monitoring: z._default(others, ['monitoring']),
  /** What every pod may reach besides: a mesh's control plane, say. */
  egress: z._default(destinations, []),
  /** Whether pods of strict namespaces wait until theirs stands. */
  gate: z._default(z.boolean(), false),
  /** Whether the pods of a workload hand each other the calls of sessions that another of them holds. */
  replicas: z._default(z.boolean(), true),
})
export type CompanionRules = Readonly<z.output<typeof companionsSchema>>
