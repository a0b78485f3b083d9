// The variables of a container as the kubelet would set them: what `envFrom` brings, then `env`, each expanded by those
// before it. Secrets and ConfigMaps come from the manifest, and what was told by flags stands above all. Pure. What only
// the cluster has is named, with the flag that gives it; a value is never named.

import { at, objectAt, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { expand } from './expand.ts'
import type { Variables } from './given-variables.ts'
import { fieldText, resourceText, type OwnPod } from './pod-fields.ts'
import type { Supplies, Supply, SupplyKind } from './supplies.ts'

export interface VariableSources {
  /** The pod's name. */
  readonly name: string
  readonly namespace: string
  readonly supplies: Supplies
  readonly given: Variables
}

/** The container among its pod's, and the pod. */
export interface OwnContainer extends OwnPod {
  readonly container: JsonObject
}

export interface ContainerVariables {
  readonly values: Readonly<Record<string, string>>
  /** What is not as in the cluster, a sentence each. */
  readonly notes: readonly string[]
}

const REFERENCES = [
  ['Secret', 'secretKeyRef', 'secretRef'],
  ['ConfigMap', 'configMapKeyRef', 'configMapRef'],
] as const satisfies readonly (readonly [SupplyKind, string, string])[]

/** The bytes as a variable's value; undefined where they are no text that one can hold. */
const textOf = (bytes: Buffer): string | undefined => {
  const text = bytes.toString('utf8')
  return text.includes('\0') || !Buffer.from(text).equals(bytes) ? undefined : text
}

const isName = (key: string): boolean => key !== '' && !/[=\0]/.test(key)

interface Brought {
  readonly pairs: readonly (readonly [string, string])[]
  readonly notes: readonly string[]
}

/** What can be set of the keys of one object, and notes on what cannot. */
const allOf = ({ values, binary }: Supply, prefix: string, where: string): Brought => {
  const pairs: [string, string][] = []
  const notes: string[] = []
  for (const [key, bytes] of values) {
    if (binary.has(key)) continue
    const text = textOf(bytes)
    if (text !== undefined && isName(key)) pairs.push([`${prefix}${key}`, text])
    else notes.push(`${where}: key ${key} can be no variable, and is left out`)
  }
  return { pairs, notes }
}

const absent = (kind: SupplyKind, name: string): string =>
  `${kind} ${name}, which the manifest does not hold`

type Found = { readonly value: string } | { readonly note: string }

/** What the pod may be told of itself, or why nothing is known of it here. */
const ofItself = (source: JsonObject, own: OwnContainer): Result<string, string> => {
  const field = stringAt(source, 'fieldRef', 'fieldPath')
  const resource = stringAt(source, 'resourceFieldRef', 'resource')
  const name = stringAt(own.container, 'name') ?? ''
  const value =
    field === undefined
      ? resourceText(own, name, at(source, 'resourceFieldRef'))
      : fieldText(own, field)
  const where = field ?? resource
  const what = where === undefined ? 'the cluster' : `the pod's ${where} in a cluster`
  return value === undefined ? fail(what) : ok(value)
}

const reasonOf = (bytes: Buffer | undefined, key: string): string =>
  bytes ? `holds under ${key} no text that a variable can be` : `has no key ${key}`

/** The key of a reference as a variable's value, or why it is none. */
const valueOf = ({ values, binary }: Supply, key: string): Result<string, string> => {
  const bytes = binary.has(key) ? undefined : values.get(key)
  const value = bytes && textOf(bytes)
  return value === undefined ? fail(reasonOf(bytes, key)) : ok(value)
}

/** Where a variable of `env` comes from: its value, or why it has none here. */
const fromElsewhere = (
  name: string,
  source: JsonObject,
  { supplies, namespace, own }: VariableSources & { readonly own: OwnContainer },
): Found => {
  const help = `--env ${name}=VALUE sets it, --env ${name} takes yours`
  const reference = REFERENCES.find(([, member]) => at(source, member) !== undefined)
  if (!reference) {
    const known = ofItself(source, own)
    return known.ok
      ? { value: known.value }
      : { note: `variable ${name} comes from ${known.error}: ${help}` }
  }
  const [kind, member] = reference
  const object = stringAt(source, member, 'name') ?? ''
  const key = stringAt(source, member, 'key') ?? ''
  const supply = supplies(kind, namespace, object)
  if (!supply) return { note: `variable ${name} comes from ${absent(kind, object)}: ${help}` }
  const value = valueOf(supply, key)
  return value.ok
    ? { value: value.value }
    : { note: `variable ${name} is not set: ${kind} ${object} ${value.error}; ${help}` }
}

/** What an entry of `envFrom` brings. */
const broughtBy = (entry: JsonObject, { supplies, namespace }: VariableSources): Brought => {
  const reference = REFERENCES.find(([, , member]) => at(entry, member) !== undefined)
  if (!reference) return { pairs: [], notes: [] }
  const [kind, , member] = reference
  const name = stringAt(entry, member, 'name') ?? ''
  const supply = supplies(kind, namespace, name)
  if (supply) return allOf(supply, stringAt(entry, 'prefix') ?? '', `${kind} ${name}`)
  const note = `variables come from ${absent(kind, name)}: --env-from FILE or --env NAME=VALUE sets them`
  return { pairs: [], notes: [note] }
}

export const variablesOf = (
  pod: JsonObject,
  container: JsonObject,
  sources: VariableSources,
): ContainerVariables => {
  const own = { pod, container, name: sources.name, namespace: sources.namespace }
  const { given } = sources
  const brought = objectsAt(container, 'envFrom').map((entry) => broughtBy(entry, sources))
  const notes = brought.flatMap((each) => each.notes)
  const values: Record<string, string> = {}
  const set = (name: string, value: string): void => {
    values[name] = given.get(name) ?? value
  }
  for (const { pairs } of brought) for (const pair of pairs) set(...pair)
  for (const entry of objectsAt(container, 'env')) {
    const name = stringAt(entry, 'name') ?? ''
    const found: Found =
      given.has(name) || at(entry, 'valueFrom') === undefined
        ? { value: expand(stringAt(entry, 'value') ?? '', values) }
        : fromElsewhere(name, objectAt(entry, 'valueFrom'), { ...sources, own })
    if ('value' in found) set(name, found.value)
    else notes.push(found.note)
  }
  return { values: { ...values, ...Object.fromEntries(given) }, notes }
}
