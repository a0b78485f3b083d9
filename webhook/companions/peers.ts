// Pods and addresses as a NetworkPolicy names them. Pure.

import { cidrOf, rangeOf, takenOutOf, type Kind, type Range } from '../../shared/address.ts'
import { callerOf, type Caller } from '../../shared/callers.ts'
import type { JsonObject } from '../../shared/json.ts'

const NAMESPACE_NAME = 'kubernetes.io/metadata.name'

const labelled = (labels: Readonly<Record<string, string>>): JsonObject => ({ matchLabels: labels })

/** Pods of a namespace: all, or those with certain labels. */
export const podsIn = (
  namespace: string,
  labels?: Readonly<Record<string, string>>,
): JsonObject => ({
  namespaceSelector: labelled({ [NAMESPACE_NAME]: namespace }),
  ...(labels ? { podSelector: labelled(labels) } : {}),
})

/** A peer that names no namespace, with the policy's own. */
export const inNamespace = (peer: JsonObject, namespace: string): JsonObject =>
  peer['namespaceSelector'] === undefined ? { ...peer, ...podsIn(namespace) } : peer

/** All pods of all namespaces: an address range means none of them where the network knows pods by their identity. */
export const EVERY_POD: JsonObject = { namespaceSelector: {} }

/** Addresses, all of them. */
export const addresses = (cidr: string): JsonObject => ({ ipBlock: { cidr } })

const NOT_PUBLIC = ['near', 'never', 'loopback', 'private', 'reserved'] as const

const without = (range: Range, kinds: readonly Kind[]): JsonObject => {
  const except = takenOutOf(range, kinds)
  return {
    ipBlock: { cidr: cidrOf(range), ...(except.length > 0 ? { except: [...except] } : {}) },
  }
}

/** As the sidecar takes them: a wide range is the internet, and about no neighbour and no cloud's credentials. */
export const declared = (range: Range): JsonObject => without(range, NOT_PUBLIC)

const ranges = (...texts: readonly string[]): readonly Range[] =>
  texts.flatMap((text) => rangeOf(text) ?? [])

/** The internet, and nothing else; `2000::/3` is all that IPv6 has of it. */
export const PUBLIC: readonly JsonObject[] = ranges('0.0.0.0/0', '2000::/3').map(declared)

/** Every address but where nodes, clouds and their credentials answer. */
export const NOT_NEAR: readonly JsonObject[] = ranges('0.0.0.0/0', '::/0').map((range) =>
  without(range, ['near']),
)

const peerOf = (caller: Exclude<Caller, { readonly kind: 'everybody' }>): JsonObject => {
  if (caller.kind === 'range') return addresses(caller.cidr)
  const { label } = caller
  const labels = label && { [label[0]]: label[1] }
  return caller.kind === 'namespace'
    ? podsIn(caller.namespace, labels)
    : { podSelector: labelled(labels ?? {}) }
}

/** Those whom a list names; undefined: everybody. */
export const peersOf = (items: readonly string[]): readonly JsonObject[] | undefined => {
  const callers = items.flatMap((item) => callerOf(item) ?? [])
  const some = callers.flatMap((caller) => (caller.kind === 'everybody' ? [] : [caller]))
  return some.length < callers.length ? undefined : some.map(peerOf)
}
