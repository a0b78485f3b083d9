// A modern answer as the legacy era has it: without what says whether it is complete and how long it may be kept, and with
// error codes that the legacy era has a meaning for. What is taken out becomes white space, so that every other byte stays
// where it is and a large answer need not be read again. Pure.

import type { JsonObject } from '../json/scan.ts'
import { member, slice, type Response } from '../mcp/message.ts'
import { rewrite, type Edit } from '../mcp/rewrite.ts'

const MODERN_ONLY: ReadonlySet<string> = new Set(['resultType', 'ttlMs', 'cacheScope'])

/** Headers and versions are ours, and no fault of the client's; a capability that it lacks makes its request a wrong one. */
const CODES: ReadonlyMap<string, string> = new Map([
  ['-32020', '-32603'],
  ['-32021', '-32600'],
  ['-32022', '-32603'],
])

const blank = (start: number, end: number): Edit => ({ start, end, text: ' '.repeat(end - start) })

/** Takes members out, each with the comma that it needs no more. */
const blanks = (
  text: string,
  { start, members }: JsonObject,
  isGone: (name: string) => boolean,
): readonly Edit[] => {
  const edits: Edit[] = []
  let from = start + 1
  let isFirst = true
  for (const one of members) {
    if (isGone(one.name)) edits.push(blank(from, one.end))
    else {
      const comma = isFirst && edits.length > 0 ? text.indexOf(',', from) : -1
      if (comma !== -1) edits.push(blank(comma, comma + 1))
      isFirst = false
    }
    from = one.end
  }
  return edits
}

/** The same places in another text. */
const without = (object: JsonObject, names: ReadonlySet<string>): JsonObject => ({
  ...object,
  members: object.members.filter(({ name }) => !names.has(name)),
})

const plainResult = (response: Response, object: JsonObject): Response => {
  const { text, result } = response
  const edits = blanks(text, object, (name) => MODERN_ONLY.has(name))
  if (edits.length === 0 || !result) return response
  const told = { ...result, object: without(object, MODERN_ONLY) }
  return { ...response, text: rewrite(text, edits), result: told }
}

export const legacyAnswer = (response: Response): Response => {
  const { text, result, error } = response
  if (result?.object) return plainResult(response, result.object)
  const place = member(error?.object, 'code')
  const code = place && CODES.get(slice(text, place))
  if (!place || code === undefined) return response
  return { ...response, text: rewrite(text, [{ start: place.start, end: place.end, text: code }]) }
}

/** A message about a subscription without the mark that says of which. */
export const withoutMark = (text: string, meta: JsonObject | undefined, mark: string): string =>
  meta
    ? rewrite(
        text,
        blanks(text, meta, (name) => name === mark),
      )
    : text
