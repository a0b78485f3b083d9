// The few members of pods, namespaces and policies that enforcement reads. Bytes become these types
// once; what does not fit is left out, and a policy that does not fit denies (no peers).

import { z } from 'zod'

const labels = z.record(z.string(), z.string()).default({})

const expression = z.object({
  key: z.string(),
  operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
  values: z.array(z.string()).default([]),
})
const selector = z.object({
  matchLabels: labels,
  matchExpressions: z.array(expression).default([]),
})
export type Selector = z.output<typeof selector>

const peer = z.object({
  podSelector: selector.optional(),
  namespaceSelector: selector.optional(),
  ipBlock: z.object({ cidr: z.string(), except: z.array(z.string()).default([]) }).optional(),
})
export type Peer = z.output<typeof peer>

const port = z.object({
  protocol: z.enum(['TCP', 'UDP', 'SCTP']).default('TCP'),
  port: z.union([z.number(), z.string()]).optional(),
  endPort: z.number().optional(),
})
export type Port = z.output<typeof port>

const ports = z.array(port).default([])
const ingress = z
  .object({ from: z.array(peer).default([]), ports })
  .transform(({ from, ports: list }) => ({ peers: from, ports: list }))
const egress = z
  .object({ to: z.array(peer).default([]), ports })
  .transform(({ to, ports: list }) => ({ peers: to, ports: list }))

/** Who may reach or be reached, on which ports; empty lists mean anybody and any port. */
export interface Rule {
  readonly peers: readonly Peer[]
  readonly ports: readonly Port[]
}

export const policySchema = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string() }),
  spec: z.object({
    podSelector: selector,
    policyTypes: z.array(z.string()).default(['Ingress']),
    ingress: z.array(ingress).default([]),
    egress: z.array(egress).default([]),
  }),
})
export type Policy = z.output<typeof policySchema>

export const namespaceSchema = z.object({ metadata: z.object({ name: z.string(), labels }) })
export type Namespace = z.output<typeof namespaceSchema>

const container = z.object({
  ports: z
    .array(
      z.object({
        name: z.string().optional(),
        containerPort: z.number(),
        protocol: z.string().default('TCP'),
      }),
    )
    .default([]),
})

export const podSchema = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string(), labels }),
  spec: z.object({
    hostNetwork: z.boolean().default(false),
    containers: z.array(container).default([]),
    initContainers: z.array(container).default([]),
  }),
  status: z.object({ podIP: z.string().optional(), phase: z.string().default('Pending') }),
})
export type Pod = z.output<typeof podSchema>
