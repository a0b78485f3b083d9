// A page of a server's list, taken apart, and what of it is not as a lock has it. Pure. What cannot be read in one way is no
// page: two readers would see two lists.

import { isObject } from '../../shared/json.ts'
import { definitionOf, differences, KEY_OF } from '../../shared/lock/digest.ts'
import type { Locked } from '../../shared/lock/lock.ts'
import { LIST_METHODS, LOCKED_KINDS, type LockedKind } from '../../shared/lock/kinds.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { scan, type JsonObject, type Span } from '../json/scan.ts'
import { member, slice, stringAt, valueAt } from '../mcp/message.ts'
import { rewrite } from '../mcp/rewrite.ts'

interface Item {
  /** Undefined where it bears none that is a text. */
  readonly name: string | undefined
  /** Where it stands in the list's text. */
  readonly span: Span
}

export interface Page {
  readonly kind: LockedKind
  /** Where the list stands in the answer, and its text. */
  readonly place: Span
  readonly list: string
  readonly items: readonly Item[]
  /** By which the next one is asked for. */
  readonly cursor: string | undefined
}

const KINDS: ReadonlyMap<string, LockedKind> = new Map(
  LOCKED_KINDS.map((kind) => [LIST_METHODS[kind], kind]),
)

/** What a method lists; undefined where it is none that does. */
export const listedBy = (method: string): LockedKind | undefined => KINDS.get(method)

/** The result of an answer; undefined where it is an error. */
export const resultOf = (answer: string): Result<JsonObject | undefined, string> => {
  const scanned = scan(answer, false)
  if (!scanned.ok) return fail(scanned.error.reason)
  return scanned.value.kind === 'array'
    ? fail('it is a batch')
    : ok(member(scanned.value.object, 'result')?.object)
}

const nameIn = (list: string, span: Span, key: string): string | undefined => {
  const item = slice(list, span)
  const scanned = item.startsWith('{') ? scan(item, false) : undefined
  if (!scanned?.ok || scanned.value.kind === 'array') return undefined
  return stringAt(item, member(scanned.value.object, key))
}

/** Takes an answer apart; undefined where it lists nothing. */
export const pageIn = (kind: LockedKind, answer: string): Result<Page | undefined, string> => {
  const result = resultOf(answer)
  if (!result.ok) return result
  const place = member(result.value, kind)
  if (!place) return ok(undefined)
  const list = slice(answer, place)
  const scanned = list.startsWith('[') ? scan(list, false) : undefined
  if (!scanned?.ok || scanned.value.kind !== 'array') {
    return fail(scanned?.ok === false ? scanned.error.reason : `"${kind}" is no list`)
  }
  const items = scanned.value.items.map((span) => ({
    name: nameIn(list, span, KEY_OF[kind]),
    span,
  }))
  const cursor = stringAt(answer, member(result.value, 'nextCursor'))
  return ok({ kind, place, list, items, cursor: cursor === '' ? undefined : cursor })
}

/** What is wrong with an item, in words; undefined where it is as it was locked. */
const wrongWith = (locked: Locked, page: Page, { name = '', span }: Item): string | undefined => {
  const approved = locked.get(name)
  if (!approved) return 'is not in the tool lock'
  const value = valueAt(page.list, span)
  if (!isObject(value)) return 'is not in the tool lock'
  const found = differences(approved, definitionOf(page.kind, value))
  return found.length === 0 ? undefined : `has changed: ${found.join(', ')}`
}

/** What is wrong with an item, by names; of a name that stands twice nothing is, where nothing is with both. */
export type Verdicts = Map<string, string | undefined>

/** Adds what a page says; items without a name are under the empty one, which no lock has. */
export const judge = (locked: Locked, page: Page, verdicts: Verdicts = new Map()): Verdicts => {
  for (const item of page.items) {
    const { name = '' } = item
    verdicts.set(name, verdicts.get(name) ?? wrongWith(locked, page, item))
  }
  return verdicts
}

/** The answer without some of its items; the rest stands as it stood. */
export const without = (
  answer: string,
  { place, list, items }: Page,
  isHidden: (name: string) => boolean,
): string => {
  const kept = items.filter(({ name = '' }) => !isHidden(name))
  if (kept.length === items.length) return answer
  const text = `[${kept.map(({ span }) => slice(list, span)).join(',')}]`
  return rewrite(answer, [{ start: place.start, end: place.end, text }])
}
