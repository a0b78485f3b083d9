// Who may reach a sidecar's ports, as `ingress-from` names it, and whom companions let through besides. Pure.

import { baseOf, cidrOf, rangeOf } from './address.ts'

/** Pods by a label. */
type Label = readonly [name: string, value: string]

export type Caller =
  | { readonly kind: 'everybody' }
  /** All pods of a namespace, or those with a label. */
  | { readonly kind: 'namespace'; readonly namespace: string; readonly label?: Label }
  /** Pods of the own namespace. */
  | { readonly kind: 'neighbours'; readonly label: Label }
  /** Addresses: `10.0.0.0/8`. */
  | { readonly kind: 'range'; readonly cidr: string }

const EVERYBODY = '*'

/** What is right, as the end of a sentence. */
export const CALLER_FORMS =
  'namespaces (`name`), their pods (`namespace/label=value`), pods beside the server (`label=value`), addresses (`10.0.0.0/8`), or `*` for everybody'

const DNS_LABEL = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?'
const NAMESPACE = new RegExp(`^${DNS_LABEL}$`)
const WORD = '[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?'
const LABEL = new RegExp(
  `^((?:(?=[^/]{1,253}/)${DNS_LABEL}(?:\\.${DNS_LABEL})*/)?${WORD})=(${WORD})$`,
)

const labelOf = (text: string): Label | undefined => {
  const [, name, value] = LABEL.exec(text) ?? []
  return name === undefined || value === undefined ? undefined : [name, value]
}

/** As it is written; one with bits behind its prefix may mean the one address, and is neither. */
const rangeIn = (text: string): string | undefined => {
  const range = rangeOf(text)
  if (range === undefined) return undefined
  const written = cidrOf(range)
  return cidrOf(baseOf(range)) === written ? written : undefined
}

/** What stands before the first slash is a namespace where it can be one: no namespace's name holds a dot. */
const podsOf = (text: string): Caller | undefined => {
  const slash = text.indexOf('/')
  const namespace = text.slice(0, Math.max(slash, 0))
  const isNamed = NAMESPACE.test(namespace)
  const label = labelOf(isNamed ? text.slice(slash + 1) : text)
  if (!label) return undefined
  return isNamed ? { kind: 'namespace', namespace, label } : { kind: 'neighbours', label }
}

/** One item; undefined for what is none. */
export const callerOf = (text: string): Caller | undefined => {
  if (text === EVERYBODY) return { kind: 'everybody' }
  if (text.length > 400) return undefined
  const cidr = rangeIn(text)
  if (cidr !== undefined) return { kind: 'range', cidr }
  if (NAMESPACE.test(text)) return { kind: 'namespace', namespace: text }
  return podsOf(text)
}
