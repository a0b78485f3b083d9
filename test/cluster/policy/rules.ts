// NetworkPolicy as nftables rules: all pods, namespaces and policies in, one table out, written
// anew each time. A stand-in for a network plugin's enforcement, for tests only: IPv4, one node.
// Fails closed: an address of the pods' range that belongs to no known pod reaches nobody. Pure.

import type { Namespace, Peer, Pod, Policy, Port, Rule, Selector } from './objects.ts'

export interface World {
  readonly pods: readonly Pod[]
  readonly namespaces: readonly Namespace[]
  readonly policies: readonly Policy[]
  readonly podRange: string
}

type Labels = Readonly<Record<string, string>>

/** Whether labels fit a selector; an empty one fits all. */
export const isSelected = ({ matchLabels, matchExpressions }: Selector, labels: Labels): boolean =>
  Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
  matchExpressions.every(({ key, operator, values }) => {
    const value = labels[key]
    switch (operator) {
      case 'In':
        return value !== undefined && values.includes(value)
      case 'NotIn':
        return value === undefined || !values.includes(value)
      case 'Exists':
        return value !== undefined
      case 'DoesNotExist':
        return value === undefined
      default:
        return false
    }
  })

type Addressed = Pod & { readonly address: string }

/** Pods that have an address of their own now. */
const addressed = (pods: readonly Pod[]): readonly Addressed[] =>
  pods.flatMap((pod) => {
    const { podIP, phase } = pod.status
    const hasOwn = podIP !== undefined && /^[\d.]+$/.test(podIP) && !pod.spec.hostNetwork
    return hasOwn && phase !== 'Succeeded' && phase !== 'Failed' ? [{ ...pod, address: podIP }] : []
  })

/** The other side of a rule: anybody, an address range, or named pods. */
type Side =
  | { readonly kind: 'anybody' }
  | { readonly kind: 'block'; readonly cidr: string; readonly except: readonly string[] }
  | { readonly kind: 'pods'; readonly pods: readonly Addressed[] }

const podsOf = (peer: Peer, home: string, world: World, pods: readonly Addressed[]): Side => {
  const { namespaceSelector, podSelector } = peer
  const places =
    namespaceSelector === undefined
      ? [home]
      : world.namespaces
          .filter(({ metadata }) => isSelected(namespaceSelector, metadata.labels))
          .map(({ metadata }) => metadata.name)
  const found = pods.filter(
    ({ metadata }) =>
      places.includes(metadata.namespace) &&
      (podSelector === undefined || isSelected(podSelector, metadata.labels)),
  )
  return { kind: 'pods', pods: found }
}

const sidesOf = (
  rule: Rule,
  home: string,
  world: World,
  pods: readonly Addressed[],
): readonly Side[] =>
  rule.peers.length === 0
    ? [{ kind: 'anybody' }]
    : rule.peers.map((peer) =>
        peer.ipBlock === undefined
          ? podsOf(peer, home, world, pods)
          : { kind: 'block', ...peer.ipBlock },
      )

const set = (items: readonly (string | number)[]): string => `{ ${items.join(', ')} }`

/** A named port's number at the pod that is reached; undefined where it has none. */
const numberAt = (pod: Addressed, { port, protocol }: Port): number | undefined =>
  [...pod.spec.containers, ...pod.spec.initContainers]
    .flatMap(({ ports }) => ports)
    .find((each) => each.name === port && each.protocol === protocol)?.containerPort

const portMatch = (port: Port, reached: Addressed | undefined): string | undefined => {
  const protocol = port.protocol.toLowerCase()
  if (port.port === undefined) return `meta l4proto ${protocol}`
  const first = typeof port.port === 'number' ? port.port : reached && numberAt(reached, port)
  if (first === undefined) return undefined
  return `${protocol} dport ${first}${port.endPort === undefined ? '' : `-${port.endPort}`}`
}

/** What the ports of a rule match at the pod that is reached; all when it names none. */
const portMatches = (rule: Rule, reached: Addressed | undefined): readonly string[] =>
  rule.ports.length === 0 ? [''] : rule.ports.flatMap((port) => portMatch(port, reached) ?? [])

const addressMatch = (side: Side, field: 'saddr' | 'daddr'): string | undefined => {
  switch (side.kind) {
    case 'anybody':
      return ''
    case 'block': {
      // The cluster's network has no IPv6.
      if (side.cidr.includes(':')) return undefined
      const except = side.except.length === 0 ? '' : ` ip ${field} != ${set(side.except)}`
      return `ip ${field} ${side.cidr}${except}`
    }
    case 'pods':
      return side.pods.length === 0
        ? undefined
        : `ip ${field} ${set(side.pods.map(({ address }) => address))}`
    default:
      return undefined
  }
}

const line = (...parts: readonly string[]): string => parts.filter(Boolean).join(' ')

const ingressLines = (rule: Rule, pod: Addressed, sides: readonly Side[]): readonly string[] =>
  sides.flatMap((side) => {
    const from = addressMatch(side, 'saddr')
    return from === undefined
      ? []
      : portMatches(rule, pod).map((ports) => line(from, ports, 'return'))
  })

const isNamed = (rule: Rule): boolean => rule.ports.some(({ port }) => typeof port === 'string')

/** A named port is each reached pod's own, so such a rule is written pod by pod. */
const egressLines = (
  rule: Rule,
  sides: readonly Side[],
  all: readonly Addressed[],
): readonly string[] =>
  sides.flatMap((side) => {
    const single = (reached: Addressed): Side => ({ kind: 'pods', pods: [reached] })
    const pods = side.kind === 'pods' ? side.pods : all
    const targets: readonly (readonly [Side, Addressed | undefined])[] =
      isNamed(rule) && side.kind !== 'block'
        ? pods.map((reached) => [single(reached), reached])
        : [[side, undefined]]
    return targets.flatMap(([target, reached]) => {
      const to = addressMatch(target, 'daddr')
      return to === undefined
        ? []
        : portMatches(rule, reached).map((ports) => line(to, ports, 'return'))
    })
  })

interface Chains {
  readonly jumps: readonly string[]
  readonly chains: readonly string[]
}

const chainName = (direction: string, { address }: Addressed): string =>
  `${direction}-${address.replaceAll('.', '-')}`

const chain = (name: string, lines: readonly string[]): string =>
  [`  chain ${name} {`, ...[...new Set(lines)].map((each) => `    ${each}`), '  }'].join('\n')

/** The chains of all pods that a policy isolates in one direction. */
const isolate = (
  direction: 'Ingress' | 'Egress',
  world: World,
  pods: readonly Addressed[],
): Chains => {
  const field = direction === 'Ingress' ? 'daddr' : 'saddr'
  const isolated = pods.flatMap((pod) => {
    const policies = world.policies.filter(
      ({ metadata, spec }) =>
        spec.policyTypes.includes(direction) &&
        metadata.namespace === pod.metadata.namespace &&
        isSelected(spec.podSelector, pod.metadata.labels),
    )
    if (policies.length === 0) return []
    const lines = policies.flatMap(({ metadata, spec }) =>
      (direction === 'Ingress' ? spec.ingress : spec.egress).flatMap((rule) => {
        const sides = sidesOf(rule, metadata.namespace, world, pods)
        return direction === 'Ingress'
          ? ingressLines(rule, pod, sides)
          : egressLines(rule, sides, pods)
      }),
    )
    // Nobody can be kept from reaching itself.
    const itself = `ip saddr ${pod.address} ip daddr ${pod.address} return`
    const name = chainName(direction.toLowerCase(), pod)
    return [{ pod, name, text: chain(name, [itself, ...lines, 'drop']) }]
  })
  return {
    jumps: isolated.map(({ pod, name }) => `ip ${field} ${pod.address} jump ${name}`),
    chains: isolated.map(({ text }) => text),
  }
}

const TABLE = 'inet outrigger-policy'

/** The whole table, to be loaded by `nft -f` in one transaction. */
export const nftables = (world: World): string => {
  const pods = addressed(world.pods)
  const ingress = isolate('Ingress', world, pods)
  const egress = isolate('Egress', world, pods)
  const known = pods.length === 0 ? '' : ` ip FIELD != ${set(pods.map(({ address }) => address))}`
  const unknown = (field: string): string =>
    `ip ${field} ${world.podRange}${known.replace('FIELD', field)} drop`
  return [
    `table ${TABLE}`,
    `delete table ${TABLE}`,
    `table ${TABLE} {`,
    ...egress.chains,
    ...ingress.chains,
    chain('leaving', [unknown('saddr'), ...egress.jumps]),
    chain('arriving', [unknown('daddr'), ...ingress.jumps]),
    chain('forward', [
      'type filter hook forward priority filter; policy accept;',
      'ct state established,related accept',
      'jump leaving',
      'jump arriving',
    ]),
    // Pods to the node itself; what the node sends to its pods (probes) is never refused.
    chain('input', [
      'type filter hook input priority filter; policy accept;',
      'ct state established,related accept',
      'jump leaving',
    ]),
    '}',
    '',
  ].join('\n')
}
