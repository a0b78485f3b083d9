// The companions of one workload: a NetworkPolicy and two Services, as they are to stand in the cluster, and what its
// owner should know of them. Pure: the same pods in the same surroundings have the same companions.

import { PREFIX, type Scope } from '../../shared/annotations.ts'
import { parseValue } from '../../shared/settings.ts'
import type { JsonObject } from '../../shared/json.ts'
import { MANAGED_LABEL, MANAGER, MCP_PORT, SERVER_LABEL } from '../../shared/names.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import { companionName, DEFAULT_POLICY, HEADLESS } from '../cluster/companion-name.ts'
import type { CompanionRules } from '../cluster/companion-rules.ts'
import type { Namespace } from '../cluster/namespace.ts'
import { isOther, overdueWords } from '../inject/overdue.ts'
import { resolveSettings } from '../settings/resolve.ts'
import { readScope, type ScopeTexts } from '../settings/scopes.ts'
import type { Ailment } from './ailment.ts'
import { MESH_LABEL, type Member, type Owner } from './member.ts'
import type { Needs } from './needs.ts'
import { peersOf } from './peers.ts'
import { defaultPolicySpec, ownLabels, policyOf } from './policy.ts'
import type { Surroundings } from './reach.ts'

/** What its owner is told; the codes are those of Events. */
export interface Remark {
  readonly reason:
    | 'IngressOpen'
    | 'IngressUnreadable'
    | 'EgressNotOpened'
    | 'PortClosed'
    | 'SidecarUnreadable'
    | 'SidecarMissing'
    | 'SidecarOther'
    | Ailment['reason']
  readonly message: string
}

export interface Companions {
  readonly objects: readonly JsonObject[]
  readonly remarks: readonly Remark[]
  /** Its pods are to know each other by a Secret. */
  readonly hasReplicas: boolean
}

export interface WorkloadParts {
  readonly server: string
  /** Its injected pods: one at least. */
  readonly members: readonly Member[]
  /** What goes when the companions are to go. */
  readonly owner: Owner
  readonly namespace: Namespace
  readonly config: ClusterConfig
  readonly rules: CompanionRules
  readonly around: Surroundings
}

const INGRESS_FROM = `${PREFIX}ingress-from`
/** In which the pods of a workload say whom they let in: one or two mostly, by template. What is beyond lets in nobody. */
export const MAX_WAYS = 100
/** As much as its owner is told of what ails its containers. */
const MAX_AILING = 5

/** Of each of them; without a server, of its namespace's. */
export const companionLabels = (server?: string): JsonObject => ({
  [MANAGED_LABEL]: MANAGER,
  'app.kubernetes.io/part-of': MANAGER,
  ...(server === undefined ? {} : { [SERVER_LABEL]: server }),
})

/** Whom annotations let in; undefined: everybody. `isClear` is false where one of them cannot be read: then it is nobody. */
interface Let {
  readonly items: readonly string[] | undefined
  readonly isClear: boolean
}

/** What one scope says of it, whatever else it says. */
const saidIn = (scope: Scope, text: string | undefined): ScopeTexts =>
  readScope(scope, scope, text === undefined ? {} : { [INGRESS_FROM]: text })

const letBy = ({ ingressFrom }: Member, { namespace, config }: WorkloadParts): Let => {
  const scopes = [
    config.scope,
    saidIn('namespace', namespace.annotations[INGRESS_FROM]),
    saidIn('workload', ingressFrom.workload),
    saidIn('pod', ingressFrom.own),
  ]
  const texts = scopes.flatMap(({ texts }) => texts.get('ingress-from') ?? [])
  if (!texts.every((text) => parseValue('ingress-from', text).ok))
    return { items: [], isClear: false }
  return { items: resolveSettings(scopes, config.floor).settings['ingress-from'], isClear: true }
}

interface Callers {
  readonly peers: readonly JsonObject[] | undefined
  readonly remarks: readonly Remark[]
}

const OPEN: Remark = {
  reason: 'IngressOpen',
  message: `everybody in the cluster reaches its MCP port: name who is to, by the annotation ${PREFIX}ingress-from`,
}
const UNREADABLE: Remark = {
  reason: 'IngressUnreadable',
  message: `nobody reaches its MCP port, since ${PREFIX}ingress-from on it or above cannot be read`,
}

/** Of all its pods together. */
const callersOf = (parts: WorkloadParts): Callers => {
  const said = new Map(parts.members.map((member) => [JSON.stringify(member.ingressFrom), member]))
  const ways = [...said].sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, MAX_WAYS)
  const lets = ways.map(([, member]) => letBy(member, parts))
  const isClear = said.size <= MAX_WAYS && lets.every((one) => one.isClear)
  const lists = lets.map(({ items }) => items)
  const isOpen = lists.includes(undefined)
  const items = lists.flatMap((list) => list ?? [])
  return {
    peers: isOpen ? undefined : peersOf([...new Set(items)].sort()),
    remarks: [...(isOpen ? [OPEN] : []), ...(isClear ? [] : [UNREADABLE])],
  }
}

/** Whether an ambient mesh takes what comes for them. */
const isInMesh = ({ members, namespace }: WorkloadParts): boolean =>
  members.some(({ mesh }) => (mesh ?? namespace.labels[MESH_LABEL]) === 'ambient')

const needRemarks = (members: readonly Member[], needs: readonly Needs[]): readonly Remark[] => {
  const around = [...new Set(needs.flatMap(({ around: port }) => port ?? []))]
  const message = `the sidecar of one of its pods cannot be read, so that the policy knows nothing of its destinations: roll it out anew`
  return [
    ...(needs.length === members.length ? [] : [{ reason: 'SidecarUnreadable' as const, message }]),
    ...around.map((port) => ({
      reason: 'PortClosed' as const,
      message: `its port ${port} leads around the sidecar, and nobody reaches it any more: have callers use port ${MCP_PORT}`,
    })),
  ]
}

/** Which container has what: its pods may each say another path. */
const ailmentKey = ({ reason, message }: Ailment): string =>
  `${reason} ${message.split(': ', 1).join('')}`

/** Of all its pods that stay, each thing once, in the same words whatever their order. */
const ailing = (members: readonly Member[]): readonly Remark[] => {
  const all = members.flatMap(({ ailments, isEnding }) => (isEnding ? [] : ailments))
  const told = new Map<string, Ailment>()
  for (const one of all) {
    const before = told.get(ailmentKey(one))
    if (!before || one.message < before.message) told.set(ailmentKey(one), one)
  }
  return [...told.values()].slice(0, MAX_AILING)
}

/** Whether its sidecar is another than the configuration names. */
export const hasOther = ({ sidecar }: Member, config: ClusterConfig): boolean =>
  sidecar !== undefined && isOther(sidecar, config)

/** Pods that are to be made anew. One without a sidecar has our label all the same where admission was not asked. */
const overdue = ({ members, config, namespace, owner }: WorkloadParts): readonly Remark[] => {
  const living = members.filter(({ isEnding }) => !isEnding)
  const named = { namespace: namespace.name, kind: owner.kind, name: owner.name }
  const isBare = living.some(({ sidecar }) => sidecar === undefined)
  return [
    ...(isBare
      ? [{ reason: 'SidecarMissing' as const, message: overdueWords('bare', named) }]
      : []),
    ...(living.some((one) => hasOther(one, config))
      ? [{ reason: 'SidecarOther' as const, message: overdueWords('other', named) }]
      : []),
  ]
}

/** What is the same for every pod of a workload whose sidecar cannot be read. */
const LEAST: Needs = {
  ports: [MCP_PORT],
  isTls: false,
  isEnforced: true,
  egress: [],
  own: [],
  hasReplicas: false,
  asksApiServer: false,
  around: undefined,
}

const metadataOf = ({ namespace, server, owner }: WorkloadParts, name: string): JsonObject => ({
  name,
  namespace: namespace.name,
  labels: companionLabels(server),
  ownerReferences: [{ ...owner }],
})

/** Callers keep to one pod, so that few calls have another way to go: a session lives in the sidecar that began it. */
const AFFINITY: JsonObject = {
  sessionAffinity: 'ClientIP',
  sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } },
}

const serviceOf = (
  parts: WorkloadParts,
  isTls: boolean,
  own: JsonObject,
  ending = '',
): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: metadataOf(parts, companionName(parts.server, ending)),
  spec: {
    ...own,
    selector: ownLabels(parts.server),
    ports: [
      {
        name: 'mcp',
        port: MCP_PORT,
        protocol: 'TCP',
        targetPort: MCP_PORT,
        appProtocol: isTls ? 'https' : 'http',
      },
    ],
  },
})

/** What is to stand beside a workload. */
export const companionsOf = (parts: WorkloadParts): Companions => {
  const { server, members, rules, around } = parts
  const known = members.flatMap(({ needs }) => needs ?? [])
  const needs = known.length === members.length ? known : [...known, LEAST]
  const callers = callersOf(parts)
  const { spec, missing } = policyOf({
    server,
    needs,
    callers: callers.peers,
    isInMesh: isInMesh(parts),
    rules,
    around,
  })
  const isTls = needs.some((one) => one.isTls)
  return {
    objects: [
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: metadataOf(parts, companionName(server)),
        spec,
      },
      serviceOf(parts, isTls, { type: 'ClusterIP', ...AFFINITY }),
      // Who looks for its pods while they start finds each by its own address.
      serviceOf(parts, isTls, { clusterIP: 'None', publishNotReadyAddresses: true }, HEADLESS),
    ],
    hasReplicas: rules.replicas && known.some(({ hasReplicas }) => hasReplicas),
    remarks: [
      ...ailing(members),
      ...overdue(parts),
      ...callers.remarks,
      ...needRemarks(members, known),
      ...missing.map((message) => ({ reason: 'EgressNotOpened' as const, message })),
    ],
  }
}

/** The policy that a namespace has from its opt-in on, before any of its workloads has one. */
export const defaultPolicy = (namespace: string, rules: CompanionRules): JsonObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: DEFAULT_POLICY, namespace, labels: companionLabels() },
  spec: defaultPolicySpec(rules),
})
