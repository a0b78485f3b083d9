// Writes the RFC 6902 operations that turn one pod into another, and proves them: they are applied
// to the first and the result compared with the second. Lists whose items have a name are compared
// by name, so that a container put in front does not rewrite those behind it field by field.

import jsonpatch, { escapePathComponent, unescapePathComponent } from 'fast-json-patch'
import { OWN_VOLUMES, SIDECAR_CONTAINER } from '../../shared/names.ts'
import { messageOf } from '../../shared/message.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { isObject, isSame, type Json, type JsonObject } from '../../shared/json.ts'

export type Operation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string }

/** The member names and indexes that an operation's path is made of (RFC 6901). */
export const pathParts = ({ path }: Operation): readonly string[] =>
  path
    .split('/')
    .slice(1)
    .map((part) => (part.includes('~') ? unescapePathComponent(part) : part))

/** Lists of objects, and the member that names an item. */
const NAMED_BY = new Map([
  ['containers', 'name'],
  ['initContainers', 'name'],
  ['volumes', 'name'],
  ['env', 'name'],
  ['imagePullSecrets', 'name'],
  ['volumeMounts', 'mountPath'],
])
/** What moves when the order has changed: the user's items stay where they are. */
const OURS: ReadonlySet<Json> = new Set<Json>([SIDECAR_CONTAINER, ...OWN_VOLUMES])

/** Operations from one value to another; `field` is the name of the member that holds them. */
const compare = (path: string, field: string, before: Json, after: Json): Operation[] => {
  if (isSame(before, after)) return []
  if (isObject(before) && isObject(after)) return compareObjects(path, before, after)
  return compareNamed(path, field, before, after) ?? [{ op: 'replace', path, value: after }]
}

const compareObjects = (path: string, before: JsonObject, after: JsonObject): Operation[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((key) => before[key] !== after[key])
    .sort()
    .flatMap((key) => {
      const [from, to] = [before[key], after[key]]
      const child = `${path}/${escapePathComponent(key)}`
      if (to === undefined) return [{ op: 'remove', path: child }]
      if (from === undefined) return [{ op: 'add', path: child, value: to }]
      return compare(child, key, from, to)
    })

type Named = readonly (readonly [name: Json, item: Json])[]

const named = (field: string, list: Json): Named | undefined => {
  const by = NAMED_BY.get(field)
  if (by === undefined || !Array.isArray(list)) return undefined
  const pairs = list.map(
    (item: Json) => [isObject(item) ? (item[by] ?? null) : null, item] as const,
  )
  const names = new Set(pairs.map(([name]) => name))
  return names.size === pairs.length && !names.has(null) ? pairs : undefined
}

const compareNamed = (
  path: string,
  field: string,
  before: Json,
  after: Json,
): Operation[] | undefined => {
  const [from, to] = [named(field, before), named(field, after)]
  if (!from || !to) return undefined
  const names = new Set(to.map(([name]) => name))
  const order = (list: Named): Json[] => list.map(([name]) => name)
  let kept = from.filter(([name]) => names.has(name))
  if (!isSubsequence(order(kept), order(to))) kept = kept.filter(([name]) => !OURS.has(name))
  if (!isSubsequence(order(kept), order(to))) return undefined
  const stays = new Map(kept)
  const removals = from
    .map(([name], index) => ({ op: 'remove' as const, path: `${path}/${index}`, name }))
    .filter(({ name }) => !stays.has(name))
    .map(({ op, path: at }) => ({ op, path: at }))
    .toReversed()
  const changes = to.flatMap(([name, item], index): Operation[] => {
    const old = stays.get(name)
    if (old === item) return []
    const at = `${path}/${index}`
    return old === undefined ? [{ op: 'add', path: at, value: item }] : compare(at, '', old, item)
  })
  return [...removals, ...changes]
}

const isSubsequence = (part: readonly Json[], whole: readonly Json[]): boolean => {
  let next = 0
  for (const item of whole) if (item === part[next]) next += 1
  return next === part.length
}

/** The operations from `before` to `after`, or why they could not be written. */
export const writePatch = (before: JsonObject, after: JsonObject): Result<Operation[], string> => {
  const operations = compareObjects('', before, after)
  // Their form is ours: what is told is where they lead.
  const result = applyOperations(before, operations, false)
  if (!result.ok) return result
  // What no operation touches is shared, and not walked through.
  return isSame(result.value, after)
    ? ok(operations)
    : fail('the patch does not lead to the rendered pod')
}

type Mutable = Record<string, unknown> | unknown[]

const isMutable = (value: unknown): value is Mutable => typeof value === 'object' && value !== null

/** A copy that may be changed; what is one already stays. */
const copyOf = (value: Mutable, copies: Set<Mutable>): Mutable => {
  if (copies.has(value)) return value
  const copy: Mutable = Array.isArray(value) ? [...value] : { ...value }
  copies.add(copy)
  return copy
}

/** Copies what stands on the way to an operation's place, which is all that it changes; the rest is shared. */
const copyTo = (root: Mutable, operation: Operation, copies: Set<Mutable>): void => {
  let parent = root
  for (const key of pathParts(operation).slice(0, -1)) {
    const child: unknown = Object.hasOwn(parent, key) ? Reflect.get(parent, key) : undefined
    if (!isMutable(child)) return
    const copy = copyOf(child, copies)
    Reflect.set(parent, key, copy)
    parent = copy
  }
}

const applyOperations = (
  before: JsonObject,
  operations: readonly Operation[],
  isFormChecked: boolean,
): Result<JsonObject, string> => {
  const copies = new Set<Mutable>()
  let document: unknown = before
  try {
    for (const operation of operations) {
      const root = isMutable(document) ? copyOf(document, copies) : {}
      copyTo(root, operation, copies)
      document = jsonpatch.applyOperation<unknown>(root, operation, isFormChecked).newDocument
    }
    return isObject(document) ? ok(document) : fail('what comes of the patch is no object')
  } catch (error) {
    return fail(messageOf(error))
  }
}

/** Applies operations to a copy. */
export const applyPatch = (
  before: JsonObject,
  operations: readonly Operation[],
): Result<JsonObject, string> => applyOperations(before, operations, true)
