// A modern answer as the legacy era has it: without what says whether it is complete, how long it may be kept and who answers, and with
// error codes that the legacy era has a meaning for. What is taken out becomes white space, so that every other byte stays
// where it is and a large answer need not be read again. Pure.

import type { JsonObject, Member } from '../json/scan.ts'
import { member, type Response } from '../mcp/message.ts'
import { SUBSCRIPTION_KEY } from '../mcp/meta.ts'
import { rewrite } from '../mcp/rewrite.ts'
import { codeEdits, SERVER_KEY } from '../translation/modern-answer.ts'
import { blanks } from './blanks.ts'
import { listedTools, toolResult } from './legacy-tools.ts'

const MODERN_ONLY: ReadonlySet<string> = new Set(['resultType', 'ttlMs', 'cacheScope'])

const NOTHING: ReadonlySet<string> = new Set()

/** Headers and versions are ours, and no fault of the client's; a capability that it lacks makes its request a wrong one. */
const CODES: ReadonlyMap<number, string> = new Map([
  [-32_020, '-32603'],
  [-32_021, '-32600'],
  [-32_022, '-32603'],
])

/** Takes members out by name, and one of `_meta`, with that where nothing else stands there. */
const edited = (
  text: string,
  object: JsonObject,
  names: ReadonlySet<string>,
  inMeta: string,
): { readonly text: string; readonly object: JsonObject } => {
  const meta = member(object, '_meta')?.object
  const isMark = ({ name }: Member): boolean => name === inMeta
  const isAlone = meta?.members.every(isMark) === true && meta.members.length > 0
  const isGone = ({ name }: Member): boolean => names.has(name) || (isAlone && name === '_meta')
  const inner = meta && !isAlone ? blanks(text, meta, isMark) : []
  const edits = [...blanks(text, object, isGone), ...inner]
  if (edits.length === 0) return { text, object }
  const members = object.members.filter((one) => !isGone(one))
  return { text: rewrite(text, edits), object: { ...object, members } }
}

const plainResult = (response: Response, result: Member, object: JsonObject): Response => {
  const told = edited(response.text, object, MODERN_ONLY, SERVER_KEY)
  return { ...response, text: told.text, result: { ...result, object: told.object } }
}

/** What only some methods' results have. */
const SHAPES: ReadonlyMap<string, (response: Response) => Response> = new Map([
  ['tools/list', listedTools],
  ['tools/call', toolResult],
])

export const legacyAnswer = (method: string, response: Response): Response => {
  const { text, result } = response
  if (result?.object) {
    const plain = plainResult(response, result, result.object)
    return SHAPES.get(method)?.(plain) ?? plain
  }
  const edits = codeEdits(response, CODES)
  return edits.length === 0 ? response : { ...response, text: rewrite(text, edits) }
}

/** A message about a subscription without the mark that says of which. */
export const withoutMark = (text: string, params: JsonObject): string =>
  edited(text, params, NOTHING, SUBSCRIPTION_KEY).text
