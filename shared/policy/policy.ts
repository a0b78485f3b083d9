// A tool policy, from its text to what decides: on failure every fault at once, with line and column. The sidecar loads
// this, and with it CEL, only where it has a policy.

import { arrayAt, isObject, objectAt, stringAt, type Json, type JsonObject } from '../json.ts'
import { nearest } from '../nearest.ts'
import { fail, ok, type Result } from '../result.ts'
import { schemaFaults, type SchemaFault } from '../schema-words.ts'
import { atOnce, type Sliced } from '../slices.ts'
import type { PlacedFault } from '../placed-fault.ts'
import { placed, readPlacedSliced } from '../yaml-places.ts'
import { whoOf } from './caller.ts'
import { Conditions, type Condition } from './condition.ts'
import { Policy, type Role } from './decide.ts'
import type { Rule } from './rules.ts'
import {
  KINDS,
  MAX_CONDITION_LENGTH,
  MAX_POLICY_LENGTH,
  policySchema,
  type PolicyDocument,
  type RoleDocument,
  type RuleDocument,
} from './schema.ts'

/** A policy and the document that it comes from. */
export interface CheckedPolicy {
  readonly policy: Policy
  readonly document: PolicyDocument
  /** Those of the document's rules, by name. */
  readonly conditions: ReadonlyMap<string, Condition>
}

/** The same from a text, with its places. */
export interface ReadPolicy extends CheckedPolicy {
  readonly placeOf: (path: readonly string[]) => { readonly line: number; readonly column: number }
}

/** More are not told at once. */
const MAX_FAULTS = 50

/** What is decided by another member than `methods`. */
export const DECIDED_BY: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'tools'],
  ['prompts/get', 'prompts'],
  ['resources/read', 'resources'],
  ['resources/subscribe', 'resources'],
  ['resources/unsubscribe', 'resources'],
  ['completion/complete', 'prompts and resources'],
])

type Path = readonly string[]

const methodFaults = (owner: JsonObject, path: Path): readonly SchemaFault[] =>
  (arrayAt(owner, 'methods') ?? []).flatMap((method, index) => {
    const by = typeof method === 'string' ? DECIDED_BY.get(method) : undefined
    const message = `this is decided by ${by}`
    return by === undefined ? [] : [{ path: [...path, 'methods', String(index)], message }]
  })

const isMissing = (owner: JsonObject, names: readonly string[]): boolean =>
  names.every((name) => owner[name] === undefined)

const emptyFaults = (owner: JsonObject, path: Path): readonly SchemaFault[] => {
  const who = owner['who']
  const isEmpty = isObject(who) && Object.keys(who).length === 0
  return [
    ...(isEmpty ? [{ path: [...path, 'who'], message: 'says nobody: name somebody' }] : []),
    ...(owner['effect'] !== 'deny' && isMissing(owner, KINDS)
      ? [{ path, message: `says nothing that it allows: name ${KINDS.join(', ')}` }]
      : []),
  ]
}

/** Of a role or a rule. */
const ownerFaults = (owner: Json, path: Path): readonly SchemaFault[] =>
  isObject(owner) ? [...emptyFaults(owner, path), ...methodFaults(owner, path)] : []

/** How many misspelt names are compared with all that there are. */
const MAX_HINTS = 5

interface NamedRole {
  readonly name: string
  readonly path: Path
}

const rolesNamedIn = (rule: Json, index: number): readonly NamedRole[] =>
  (arrayAt(rule, 'who', 'roles') ?? []).flatMap((name, at) =>
    typeof name === 'string'
      ? [{ name, path: ['rules', String(index), 'who', 'roles', String(at)] }]
      : [],
  )

const roleFaults = (rules: readonly Json[], roles: readonly string[]): readonly SchemaFault[] => {
  const known = new Set(roles)
  const unknown = rules.flatMap(rolesNamedIn).filter(({ name }) => !known.has(name))
  return unknown.slice(0, MAX_FAULTS).map(({ name, path }, index) => {
    const match = index < MAX_HINTS ? nearest(name, roles) : undefined
    const hint = match === undefined ? '' : `; did you mean ${match}?`
    return { path, message: `there is no such role${hint}` }
  })
}

const twiceFaults = (rules: readonly Json[]): readonly SchemaFault[] => {
  const seen = new Set<string>()
  return rules.flatMap((rule, index) => {
    const name = stringAt(rule, 'name')
    if (name === undefined || !seen.has(name)) {
      if (name !== undefined) seen.add(name)
      return []
    }
    return [{ path: ['rules', String(index), 'name'], message: 'another rule has this name' }]
  })
}

/** What the schema cannot say, also of a document that it refuses: so all is told at once. */
const ownFaults = (document: JsonObject, conditions: ConditionsRead): readonly SchemaFault[] => {
  const roles = objectAt(document, 'roles')
  const rules = arrayAt(document, 'rules') ?? []
  return [
    ...Object.entries(roles).flatMap(([name, role]) => ownerFaults(role, ['roles', name])),
    ...rules.flatMap((rule, index) => ownerFaults(rule, ['rules', String(index)])),
    ...roleFaults(rules, Object.keys(roles)),
    ...twiceFaults(rules),
    ...conditions.faults,
  ]
}

interface ConditionsRead {
  readonly faults: readonly SchemaFault[]
  readonly byOrder: ReadonlyMap<number, Condition>
}

function* readConditions(document: JsonObject): Sliced<ConditionsRead> {
  const conditions = new Conditions()
  const byOrder = new Map<number, Condition>()
  const faults: SchemaFault[] = []
  for (const [index, rule] of (arrayAt(document, 'rules') ?? []).entries()) {
    if (faults.length >= MAX_FAULTS) break
    const source = stringAt(rule, 'when')
    if (source === undefined || source.length > MAX_CONDITION_LENGTH) continue
    yield
    const read = conditions.read(source)
    if (read.ok) byOrder.set(index, read.value)
    else {
      for (const { offset, message } of read.error) {
        const where = `at character ${offset + 1}: ${message}`
        faults.push({ path: ['rules', String(index), 'when'], message: where })
      }
    }
  }
  return { faults, byOrder }
}

const targetsOf = (owner: RuleDocument | RoleDocument): Rule['targets'] =>
  KINDS.every((kind) => owner[kind] === undefined) ? undefined : owner

const grantOf =
  (prefix: string) =>
  ([name, role]: readonly [string, RoleDocument], order: number): Rule => ({
    name: `${prefix}role:${name}`,
    order,
    effect: 'allow',
    who: whoOf(role.who),
    targets: targetsOf(role) ?? {},
    condition: undefined,
  })

const compiled = (
  document: PolicyDocument,
  { byOrder }: ConditionsRead,
  prefix: string,
): Policy => {
  const roles = Object.entries(document.roles)
  const rules = document.rules.map((rule, index): Rule => {
    const { effect, who } = rule
    const [name, order] = [`${prefix}${rule.name}`, roles.length + index]
    const [targets, condition] = [targetsOf(rule), byOrder.get(index)]
    return { name, order, effect, who: whoOf(who), targets, condition }
  })
  return new Policy({
    isDryRun: document.mode === 'dry-run',
    roles: roles.map(([name, { who }]): Role => ({ name, who: whoOf(who) })),
    rules: [...roles.map(grantOf(prefix)), ...rules],
  })
}

function* checkSliced(
  value: unknown,
  prefix: string,
): Sliced<Result<CheckedPolicy, readonly SchemaFault[]>> {
  const shape = policySchema.safeParse(value)
  const raw = isObject(value) ? value : {}
  const conditions = yield* readConditions(raw)
  const faults = [
    ...(shape.success
      ? []
      : schemaFaults(policySchema, value, shape.error.issues.slice(0, MAX_FAULTS))),
    ...ownFaults(raw, conditions),
  ]
  if (!shape.success || faults.length > 0) return fail(faults.slice(0, MAX_FAULTS))
  const document = shape.data
  return ok({
    policy: compiled(document, conditions, prefix),
    document,
    conditions: new Map(
      document.rules.flatMap(({ name }, index) => {
        const condition = conditions.byOrder.get(index)
        return condition ? [[name, condition] as const] : []
      }),
    ),
  })
}

const START = { line: 1, column: 1 }

/** Reads a policy's text (YAML, of which JSON is a part); `prefix` stands before the names of its rules where decisions tell them. */
export function* readPolicySliced(
  text: string,
  prefix = '',
): Sliced<Result<ReadPolicy, readonly PlacedFault[]>> {
  if (text.length > MAX_POLICY_LENGTH) {
    const message = `it has more than ${MAX_POLICY_LENGTH} characters`
    return fail([{ ...START, message }])
  }
  const read = yield* readPlacedSliced(text)
  if (!read.ok) return fail(read.error.slice(0, MAX_FAULTS))
  const { value, placeOf } = read.value
  const checked = yield* checkSliced(value, prefix)
  return checked.ok ? ok({ ...checked.value, placeOf }) : fail(placed(checked.error, read.value))
}

/** The same at once. */
export const readPolicy = (text: string, prefix = ''): Result<ReadPolicy, readonly PlacedFault[]> =>
  atOnce(readPolicySliced(text, prefix))

/** Checks a policy that has been parsed, in the same way. */
export const checkPolicy = (
  value: unknown,
  prefix = '',
): Result<CheckedPolicy, readonly SchemaFault[]> => atOnce(checkSliced(value, prefix))
