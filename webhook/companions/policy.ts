// The NetworkPolicy of one workload: whom its sidecars let in, and where they and the server go. Everything else is refused,
// by whatever enforces policies in the cluster. Pure.

import type { JsonObject } from '../../shared/json.ts'
import { ADMIN_PORT, INJECTED_LABEL, REPLICA_PORT, SERVER_LABEL } from '../../shared/names.ts'
import type { CompanionRules } from '../cluster/companion-rules.ts'
import type { Needs } from './needs.ts'
import { EVERY_POD, NOT_NEAR, peersOf } from './peers.ts'
import { reachOf, type Opening, type Surroundings } from './reach.ts'

/** Where an ambient mesh hands over what it has encrypted. */
const MESH_PORT = 15_008
const DNS_PORTS = [53, 5353]

export interface PolicyParts {
  readonly server: string
  /** Of all its pods: those of an earlier template are served until they are gone. */
  readonly needs: readonly Needs[]
  /** Undefined: everybody. */
  readonly callers: readonly JsonObject[] | undefined
  readonly isInMesh: boolean
  readonly rules: CompanionRules
  readonly around: Surroundings
}

const tcp = (ports: readonly (number | string)[]): readonly JsonObject[] =>
  ports.map((port) => ({ protocol: 'TCP', port }))

const numbersOf = (needs: readonly Needs[]): readonly number[] =>
  [...new Set(needs.flatMap(({ ports }) => ports))].sort((a, b) => a - b)

/** The workload's own pods, for the calls that they hand each other. */
const replicas = ({ server, needs, isInMesh }: PolicyParts, side: 'from' | 'to') =>
  needs.some(({ hasReplicas }) => hasReplicas)
    ? [
        {
          [side]: [{ podSelector: ownSelector(server) }],
          ports: [...tcp([REPLICA_PORT, ...(isInMesh ? [MESH_PORT] : [])])],
        },
      ]
    : []

const ingressOf = (parts: PolicyParts): readonly JsonObject[] => {
  const { needs, callers, isInMesh, rules } = parts
  const open = [...numbersOf(needs), ...(isInMesh ? [MESH_PORT] : [])]
  // An empty list of peers would mean everybody.
  const isNobody = callers?.length === 0 || open.length === 0
  const monitoring = peersOf(rules.monitoring) ?? []
  return [
    ...(isNobody ? [] : [{ ...(callers ? { from: [...callers] } : {}), ports: [...tcp(open)] }]),
    ...(monitoring.length === 0 ? [] : [{ from: [...monitoring], ports: [...tcp([ADMIN_PORT])] }]),
    ...replicas(parts, 'from'),
  ]
}

/** Names, from whoever answers for them. */
export const dnsRule = ({ dns }: CompanionRules): readonly JsonObject[] => {
  const to = peersOf(dns) ?? []
  const ports = DNS_PORTS.flatMap((port) => [
    { protocol: 'UDP', port },
    { protocol: 'TCP', port },
  ])
  return to.length === 0 ? [] : [{ to: [...to], ports }]
}

/** One rule for all ports that lead to the same peers, in an order that does not change. */
const merged = (openings: readonly Opening[]): readonly JsonObject[] => {
  const byPeers = new Map<
    string,
    { readonly to: readonly JsonObject[]; readonly ports: Set<number | string> }
  >()
  for (const { to, ports } of openings) {
    const key = JSON.stringify(to)
    const known = byPeers.get(key) ?? { to, ports: new Set() }
    for (const port of ports) known.ports.add(port)
    byPeers.set(key, known)
  }
  return [...byPeers]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { to, ports }]) => ({ to: [...to], ports: [...tcp([...ports].sort(byText))] }))
}

/** Made once: there may be as many ports as a cluster has Services. */
const { compare } = new Intl.Collator('en', { numeric: true })

const byText = (a: number | string, b: number | string): number => compare(String(a), String(b))

interface Asked {
  readonly openings: readonly Opening[]
  readonly missing: readonly string[]
}

/** The sidecar's own ways, and what the platform team opens for everybody. */
const ownPlaces = ({ needs, rules }: PolicyParts): readonly string[] => [
  ...needs.flatMap(({ own }) => own),
  ...(needs.some(({ asksApiServer }) => asksApiServer) ? ['kubernetes.default.svc:443'] : []),
  ...rules.egress,
]

const askedFor = (parts: PolicyParts): Asked => {
  // Pods of one template say the same: each place is looked up once.
  const declared = new Set(parts.needs.flatMap(({ egress }) => egress))
  const places = [
    ...[...new Set(ownPlaces(parts))].map((text) => [text, true] as const),
    ...[...declared].map((text) => [text, false] as const),
  ]
  const openings: Opening[] = []
  const missing = new Set<string>()
  for (const [text, isOwn] of places) {
    const reach = reachOf(text, parts.around, isOwn)
    openings.push(...reach.openings)
    if (reach.missing !== undefined) missing.add(`${text}: ${reach.missing}`)
  }
  return { openings, missing: [...missing] }
}

const egressOf = (parts: PolicyParts, { openings }: Asked): readonly JsonObject[] => {
  const { needs, isInMesh, rules } = parts
  // What is observed goes where it likes; the sidecar keeps it from what is near, and so does this.
  const isFree = needs.some(({ isEnforced }) => !isEnforced)
  return [
    ...dnsRule(rules),
    ...(isFree ? [{ to: [...NOT_NEAR, EVERY_POD] }] : []),
    ...merged(openings),
    ...(isInMesh ? [{ to: [EVERY_POD], ports: [...tcp([MESH_PORT])] }] : []),
    ...replicas(parts, 'to'),
  ]
}

/** As many as are told. */
const MAX_MISSING = 10

export interface Policy {
  readonly spec: JsonObject
  /** What was declared and could not be opened, as sentences. */
  readonly missing: readonly string[]
}

/** What the pods of a workload bear, all of them. */
export const ownLabels = (server: string): Readonly<Record<string, string>> => ({
  [INJECTED_LABEL]: 'true',
  [SERVER_LABEL]: server,
})

/** Which pods it is about. */
export const ownSelector = (server: string): JsonObject => ({ matchLabels: ownLabels(server) })

/** The policy's `spec`. */
export const policyOf = (parts: PolicyParts): Policy => {
  const asked = askedFor(parts)
  return {
    spec: {
      podSelector: ownSelector(parts.server),
      policyTypes: ['Ingress', 'Egress'],
      ingress: [...ingressOf(parts)],
      egress: [...egressOf(parts, asked)],
    },
    missing: asked.missing.slice(0, MAX_MISSING),
  }
}

/** That of a namespace: an injected pod whose workload has no policy yet resolves names, and nothing else. */
export const defaultPolicySpec = (rules: CompanionRules): JsonObject => ({
  podSelector: { matchLabels: { [INJECTED_LABEL]: 'true' } },
  policyTypes: ['Ingress', 'Egress'],
  ingress: [],
  egress: [...dnsRule(rules)],
})
