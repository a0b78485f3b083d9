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
  /** Only for a cluster of our own; the tests then run on its network. */
  own: z
    .object({
      /** The cluster's directory. */
      dir: z.string(),
      /** The node's address: where the API server and pods reach a process of a test. */
      address: z.string(),
      cache: z.string(),
      /** The static MCP server. */
      staticServer: z.string(),
      /** The one that speaks HTTP. */
      httpServer: z.string(),
      /** The one that reaches what it is told to. */
      egressServer: z.string(),
      helm: z.string(),
    })
    .optional(),
})

export type Target = z.output<typeof targetSchema>
