// What the platform team fixes in the cluster configuration and no annotation may loosen. Closed by
// default: every relaxation is an `allow…` that somebody has written down. Pure.

import { annotation, PREFIX, type ANNOTATIONS, type Key } from '../../shared/annotations.ts'
import type { IssuerEntry } from '../../shared/issuers.ts'
import type { LockDocument } from '../../shared/lock/schema.ts'
import type { PolicyDocument } from '../../shared/policy/schema.ts'
import type { Asked, Level } from './modes.ts'
import type { TrustDomainEntry } from '../../shared/trust-domains.ts'
import type { Egress } from './destinations.ts'
import { excess, mostOf, type Most } from './most.ts'
import type { PublicUrls } from './public-urls.ts'
import { violation, type Violation } from './violation.ts'
import type { Exemption } from './exemption.ts'
import type { Placed } from './placed.ts'
import { parseQuantity } from './quantity.ts'
import type { RuleId } from './rule.ts'

/** Rules that do not hold in some namespaces. */
export interface RuleException {
  readonly rules: readonly RuleId[]
  readonly namespaces: readonly string[]
}

/** A tool lock, and which servers are held to it; a list that is absent leaves none out. */
export interface BaseLock {
  readonly namespaces?: readonly string[] | undefined
  /** Of workloads. */
  readonly names?: readonly string[] | undefined
  /** Of the server's container: full names, without tag and digest. */
  readonly images?: readonly string[] | undefined
  readonly lock: LockDocument
}

export type EgressMode = (typeof ANNOTATIONS)['egress-mode']['values'][number]

export interface Floor {
  /** Who may say who calls, and for which audiences besides a server's own URL; nobody else is believed. */
  readonly issuers: readonly IssuerEntry[]
  /** Whose workloads may be let in by their X.509-SVIDs, each with its authorities. */
  readonly trustDomains: readonly TrustDomainEntry[]
  /** Which URLs a namespace's servers may claim as their own. */
  readonly publicUrls: PublicUrls
  /** The tool policy of every server, which a server's own can only narrow; it comes with the pod. */
  readonly basePolicy?: PolicyDocument | undefined
  /** Every server needs a tool policy of its own (`tool-policy`). */
  readonly requireToolPolicy: boolean
  /** Of these the first that is about a server comes with its pod, beside a lock of its own. */
  readonly toolLocks: readonly BaseLock[]
  /** Every server needs a tool lock: one of those, or one of its own (`tool-lock`). */
  readonly requireToolLock: boolean
  /** By which level pods of every namespace are denied; a namespace's label can raise its own. */
  readonly enforce: Level
  /** The same for what is only warned about, and for what is only on record. */
  readonly warn: Asked
  readonly audit: Asked
  /** Rules of `strict` that do not hold in some namespaces. */
  readonly allowExceptions: readonly RuleException[]
  /** Groups whose members may get into running pods whatever the rules say; it stands on record. */
  readonly allowBreakGlass: readonly string[]
  /** Groups whose members may take off, or lower, what a namespace's labels and annotations ask of its pods. */
  readonly allowLooserNamespaces: readonly string[]
  /** Pods may opt out (`inject: false`) of what their namespace asks of all. */
  readonly allowOptOut: boolean
  /** `auth: none` may be asked for. */
  readonly allowAnonymous: boolean
  /** `process-model: shared`, one process for all principals, may be asked for. */
  readonly allowSharedProcesses: boolean
  /** `needs-kube-api: true` may be asked for. */
  readonly allowKubeApi: boolean
  /** The pod's identity at its cloud stays in every container that has it; the sidecar never gets it. */
  readonly allowSharedIdentity: boolean
  /** `forward-headers` may be asked for: what callers say of themselves reaches the server. */
  readonly allowForwardHeaders: boolean
  /** Variables that `caller-environment` may fill with what tokens say of callers. */
  readonly allowCallerVariables: readonly string[]
  /** `open-paths` may be asked for: paths of the server that pass the sidecar besides MCP. */
  readonly allowOpenPaths: boolean
  /** Other ports of a server that is held on loopback pass the sidecar as plain TCP, unread. */
  readonly allowCarriedPorts: boolean
  /** Issuers may be on loopback, for servers on one's own machine: in a pod no sidecar asks there, since its server could answer. */
  readonly allowLoopbackIssuers: boolean
  /** Sidecars may run where the kernel cannot separate children, and say so. */
  readonly allowAdvisoryIsolation: boolean
  /** The same where it cannot keep a server to its `egress`. */
  readonly allowAdvisoryEgress: boolean
  /** `audit-on-failure: drop` may be asked for: calls go on whose records are lost. */
  readonly allowAuditDrop: boolean
  /** The most that times and sizes may be; what it leaves out has bounds all the same. */
  readonly most: Most
  /** What servers of a namespace may name in `egress`; `*` is every namespace. */
  readonly egress: Egress
  /** The least of `egress-mode`; absent: nobody has chosen one, so that `observe` holds with a warning. */
  readonly egressMode?: EgressMode | undefined
  readonly minAuditLevel: 'metadata' | 'request' | 'response'
  readonly maxSidecarCpu: string
  readonly maxSidecarMemory: string
  readonly maxAuditSize: string
  /** In a namespace that opts in: what becomes of a pod in which no server can be found. */
  readonly unresolvable: 'skip' | 'deny'
  /** The controller asks the registries for images of pods that were denied since they name no command. */
  readonly resolveImages: boolean
  /** Namespaces, `*` for every one, in which a server that would run as `default` gets a ServiceAccount of its own. */
  readonly ownServiceAccounts: readonly string[]
  /** Containers of a mesh that the security rules leave alone. */
  readonly exemptContainers: readonly Exemption[]
}

const isOn = (value: Floor[keyof Floor]): boolean =>
  value === true || (Array.isArray(value) && value.length > 0)

/** The relaxations that are on, for the start log and a metric. */
export const relaxations = (floor: Floor): readonly string[] =>
  Object.entries(floor)
    .filter(([name, value]) => name.startsWith('allow') && isOn(value))
    .map(([name]) => name)

interface Leave {
  readonly key: Key
  /** Absent: any value. */
  readonly value?: string
  readonly by: Exclude<
    keyof Floor & `allow${string}`,
    | 'allowExceptions'
    | 'allowBreakGlass'
    | 'allowLooserNamespaces'
    | 'allowOptOut'
    | 'allowCallerVariables'
  >
  /** What to do without it. */
  readonly instead: string
}

const LEAVES: readonly Leave[] = [
  {
    key: 'auth',
    value: 'none',
    by: 'allowAnonymous',
    instead: 'use `oidc`',
  },
  {
    key: 'process-model',
    value: 'shared',
    by: 'allowSharedProcesses',
    instead: 'use `session` or `principal`',
  },
  { key: 'needs-kube-api', value: 'true', by: 'allowKubeApi', instead: 'use `false`' },
  { key: 'forward-headers', by: 'allowForwardHeaders', instead: 'leave it out' },
  { key: 'open-paths', by: 'allowOpenPaths', instead: 'leave it out' },
  { key: 'audit-on-failure', value: 'drop', by: 'allowAuditDrop', instead: 'use `refuse`' },
]

/** What takes room, and the most of it. */
const ROOM_KEYS = [
  ['sidecar-cpu-request', 'maxSidecarCpu'],
  ['sidecar-cpu-limit', 'maxSidecarCpu'],
  ['sidecar-memory-request', 'maxSidecarMemory'],
  ['sidecar-memory-limit', 'maxSidecarMemory'],
  ['audit-size', 'maxAuditSize'],
] as const satisfies readonly (readonly [Key, keyof Floor])[]

const isMore = (a: string, b: string): boolean =>
  (parseQuantity(a) ?? 0n) > (parseQuantity(b) ?? 0n)

/** What has a least, and the floor's member that says it. */
const LEAST_KEYS = [
  ['audit-level', 'minAuditLevel'],
  ['egress-mode', 'egressMode'],
] as const satisfies readonly (readonly [Key, keyof Floor])[]

interface Least {
  readonly text: string
  /** The floor's member. */
  readonly by: string
}

/** The least of a key; undefined where there is none. */
export const leastOf = (key: Key, floor: Floor): Least | undefined => {
  const by = LEAST_KEYS.find(([name]) => name === key)?.[1]
  const text = by === undefined ? undefined : floor[by]
  return by === undefined || text === undefined ? undefined : { text, by }
}

/** The least of a key where a text is less. */
const underLeast = (key: Key, text: string, floor: Floor): Least | undefined => {
  const least = leastOf(key, floor)
  const { tighten } = annotation(key)
  if (least === undefined || tighten?.by !== 'order') return undefined
  return tighten.order.indexOf(text) < tighten.order.indexOf(least.text) ? least : undefined
}

/** The defaults as the floor bends them: never below the least, never above the most. */
export const flooredDefault = (key: Key, floor: Floor): string | undefined => {
  const text = annotation(key).default
  if (text === undefined) return undefined
  const under = underLeast(key, text, floor)
  if (under) return under.text
  const most = ROOM_KEYS.find(([name]) => name === key)?.[1]
  if (most !== undefined && isMore(text, floor[most])) return floor[most]
  return excess(key, text, floor.most) ? mostOf(key, floor.most) : text
}

const isAbout = ({ key, value }: Leave, other: Key, text: string): boolean =>
  key === other && (value === undefined || value === text)

/** Everything in the resolved texts that the floor forbids. */
export const floorViolations = (
  texts: ReadonlyMap<Key, Placed>,
  floor: Floor,
): readonly Violation[] => {
  const chosen = [...texts].filter(([, { isDefault }]) => !isDefault)
  return chosen.flatMap(([key, { text, where }]) => {
    const name = `${where}: ${PREFIX}${key}: \`${text}\``
    const leave = LEAVES.find((row) => isAbout(row, key, text) && !floor[row.by])
    if (leave) {
      return violation(
        'floor',
        `${name} is forbidden by the cluster configuration; ${leave.instead}, or ask the platform team for floor.${leave.by}`,
      )
    }
    const under = underLeast(key, text, floor)
    if (under) {
      return violation(
        'floor',
        `${name} is less than floor.${under.by} \`${under.text}\`; use that`,
      )
    }
    const beyond = excess(key, text, floor.most)
    if (beyond) {
      return violation('floor', `${name} is more than floor.most.${beyond.bound}; ${beyond.fix}`)
    }
    const most = ROOM_KEYS.find(([resource]) => resource === key)?.[1]
    return most !== undefined && isMore(text, floor[most])
      ? violation('floor', `${name} is more than floor.${most} \`${floor[most]}\``)
      : []
  })
}
