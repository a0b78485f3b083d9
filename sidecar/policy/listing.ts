// Lists without what their caller may not use. Items are left out at their places: every other byte stays, and an answer
// in which nothing is hidden is the server's own. What cannot be read in one way is no answer. Pure.

import { fail, ok, type Result } from '../../shared/result.ts'
import type { Target } from '../../shared/policy/rules.ts'
import { templateGlob } from '../../shared/policy/uri.ts'
import { scan, type JsonObject, type Member, type Span } from '../json/scan.ts'
import { member, slice, stringAt } from '../mcp/message.ts'
import { rewrite, type Edit } from '../mcp/rewrite.ts'

/** What a list holds, and what its items are named by. */
interface Listing {
  readonly member: string
  readonly key: string
  /** By which an item is used. */
  readonly method: string
  readonly targetOf: (name: string) => Target
}

const LISTINGS: ReadonlyMap<string, Listing> = new Map([
  [
    'tools/list',
    {
      member: 'tools',
      key: 'name',
      method: 'tools/call',
      targetOf: (name) => ({ kind: 'tools', name }),
    },
  ],
  [
    'prompts/list',
    {
      member: 'prompts',
      key: 'name',
      method: 'prompts/get',
      targetOf: (name) => ({ kind: 'prompts', name }),
    },
  ],
  [
    'resources/list',
    {
      member: 'resources',
      key: 'uri',
      method: 'resources/read',
      targetOf: (name) => ({ kind: 'resources', name }),
    },
  ],
  [
    'resources/templates/list',
    {
      member: 'resourceTemplates',
      key: 'uriTemplate',
      method: 'resources/read',
      targetOf: (name) => ({ kind: 'resources', name: templateGlob(name), isTemplate: true }),
    },
  ],
])

export const listingOf = (method: string): Listing | undefined => LISTINGS.get(method)

/** Whether an item is one that its caller may use. */
export type MayUse = (target: Target, method: string) => boolean

export const unreadable = (method: string, reason: string): Result<never, string> =>
  fail(
    `the server's answer to ${method} cannot be used: ${reason}, and a tool policy has to tell what it holds`,
  )

/** What an item is named by; undefined where it is no object, or bears no name. */
const nameOf = (text: string, item: Span, key: string): string | undefined => {
  const part = slice(text, item)
  if (!part.startsWith('{')) return undefined
  const scanned = scan(part, false)
  if (!scanned.ok || scanned.value.kind === 'array') return undefined
  return stringAt(part, member(scanned.value.object, key))
}

/** The list with the items that are kept, as they stand. */
const keptText = (
  text: string,
  list: Member,
  listing: Listing,
  mayUse: MayUse,
): Result<string | undefined, string> => {
  const part = slice(text, list)
  const scanned = part.startsWith('[') ? scan(part, false) : undefined
  if (!scanned?.ok || scanned.value.kind !== 'array') {
    return fail(scanned?.ok === false ? scanned.error.reason : `"${listing.member}" is no list`)
  }
  const { items } = scanned.value
  const kept = items.filter((item) => {
    const name = nameOf(part, item, listing.key)
    return name !== undefined && mayUse(listing.targetOf(name), listing.method)
  })
  return ok(
    kept.length === items.length
      ? undefined
      : `[${kept.map((item) => slice(part, item)).join(',')}]`,
  )
}

/** Whoever else asks is to get another answer: no cache may give this one. */
export const scopeEdit = (text: string, result: JsonObject): readonly Edit[] => {
  const scope = member(result, 'cacheScope')
  return stringAt(text, scope) === 'public' && scope
    ? [{ start: scope.start, end: scope.end, text: '"private"' }]
    : []
}

/** The result in an answer; undefined where it is an error. */
export const resultIn = (
  method: string,
  answer: string,
): Result<JsonObject | undefined, string> => {
  const scanned = scan(answer, false)
  if (!scanned.ok) return unreadable(method, scanned.error.reason)
  return scanned.value.kind === 'array'
    ? unreadable(method, 'it is a batch')
    : ok(member(scanned.value.object, 'result')?.object)
}

/** The answer to a method that lists, for whoever `mayUse` speaks of. */
export const filterListing = (
  method: string,
  text: string,
  mayUse: MayUse,
): Result<string, string> => {
  const listing = LISTINGS.get(method)
  if (!listing) return ok(text)
  const found = resultIn(method, text)
  if (!found.ok) return found
  const result = found.value
  const list = member(result, listing.member)
  if (!result || !list) return ok(text)
  const kept = keptText(text, list, listing, mayUse)
  if (!kept.ok) return unreadable(method, kept.error)
  const edits = [...scopeEdit(text, result)]
  if (kept.value !== undefined) {
    edits.push({ start: list.start, end: list.end, text: kept.value })
  }
  return ok(edits.length === 0 ? text : rewrite(text, edits))
}
