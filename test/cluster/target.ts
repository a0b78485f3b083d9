// What a test run tells its tests of the cluster they run against.

import { z } from 'zod'

/** The variable in which the test run describes its cluster. */
export const TARGET_VARIABLE = 'OUTRIGGER_TEST_CLUSTER'

export const targetSchema = z.object({
  /** Base URL at which the API is served without credentials (kubectl proxy). */
  api: z.url(),
  kubectl: z.string(),
  kubeconfig: z.string(),
  size: z.enum(['control', 'full']),
  /** Address at which the API server reaches a process of this test run. */
  callback: z.string(),
  /** The directory of a cluster of our own; absent for a user's. */
  dir: z.string().optional(),
})

export type Target = z.output<typeof targetSchema>
