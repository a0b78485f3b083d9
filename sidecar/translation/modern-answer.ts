// A legacy answer as the modern era has it: results say that they are complete, who answers and that nobody may keep them;
// error codes that the modern revision has given a meaning of its own, or taken out, become others. Every other byte
// stays. Pure.

import type { JsonObject } from '../json/scan.ts'
import { idEdit } from '../conversation/answer.ts'
import { member, slice, type Response } from '../mcp/message.ts'
import { rewrite, type Edit } from '../mcp/rewrite.ts'
import { readAgain } from './own-text.ts'

export const SERVER_KEY = 'io.modelcontextprotocol/serverInfo'

/** Results that say how long they may be kept (2026-07-28, caching). */
const KEPT: ReadonlySet<string> = new Set([
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
])
const COMPLETE: readonly [string, string] = ['resultType', '"complete"']
/** No legacy server says how long; another caller may be told something else. */
const FRESH: readonly (readonly [string, string])[] = [
  ['ttlMs', '0'],
  ['cacheScope', '"private"'],
]

/** Resource not found is an invalid parameter; what a server cannot mean by itself is its own failure. */
const CODES: ReadonlyMap<number, string> = new Map([
  [-32_002, '-32602'],
  [-32_042, '-32603'],
  [-32_020, '-32603'],
  [-32_021, '-32603'],
  [-32_022, '-32603'],
])

/** What comes back for its client: the text, and the response as it is to be judged from then on. */
export interface Answer {
  readonly text: string
  readonly response: Response
}

/** Puts members into an object, in the place of those that it has by these names. */
const withMembers = (
  object: JsonObject,
  members: readonly (readonly [string, string])[],
): readonly Edit[] => {
  const edits: Edit[] = []
  const added: string[] = []
  for (const [name, text] of members) {
    const there = member(object, name)
    if (there) edits.push({ start: there.start, end: there.end, text })
    else added.push(`"${name}":${text}`)
  }
  if (added.length === 0) return edits
  const at = object.start + 1
  const comma = object.members.length === 0 ? '' : ','
  return [{ start: at, end: at, text: `${added.join(',')}${comma}` }, ...edits]
}

const resultEdits = (
  method: string,
  result: JsonObject,
  serverInfo: string | undefined,
): readonly Edit[] => {
  const members = [COMPLETE, ...(KEPT.has(method) ? FRESH : [])]
  if (serverInfo === undefined) return withMembers(result, members)
  const meta = member(result, '_meta')
  if (!meta) return withMembers(result, [...members, ['_meta', `{"${SERVER_KEY}":${serverInfo}}`]])
  const inMeta = meta.object ? withMembers(meta.object, [[SERVER_KEY, serverInfo]]) : []
  return [...withMembers(result, members), ...inMeta]
}

/** Puts another code in the place of an error's, where there is one for it. In whatever spelling: a client reads the number. */
export const codeEdits = (
  { text, error }: Response,
  others: ReadonlyMap<number, string>,
): readonly Edit[] => {
  const code = member(error?.object, 'code')
  const other = code && others.get(Number(slice(text, code)))
  return code && other !== undefined ? [{ start: code.start, end: code.end, text: other }] : []
}

/** `serverInfo`: JSON text, as `initialize` has said it. */
export const modernAnswer = (
  method: string,
  response: Response,
  idText: string,
  serverInfo: string | undefined,
): Answer => {
  const { text, result, error } = response
  const own = idEdit(response, idText)
  if (!error) {
    const edits = result?.object ? resultEdits(method, result.object, serverInfo) : []
    return { text: rewrite(text, [own, ...edits]), response }
  }
  const told = rewrite(text, [own, ...codeEdits(response, CODES)])
  // What its HTTP status is follows from the code that its client reads.
  const again = readAgain(told)
  return { text: told, response: again?.kind === 'response' ? again : response }
}
