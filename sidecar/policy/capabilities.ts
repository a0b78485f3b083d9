// What a server says that it can do, without what its caller may use nothing of: `initialize` and `server/discover`. Where
// nothing is hidden the answer is the server's own, byte for byte. Pure.

import { ok, type Result } from '../../shared/result.ts'
import type { Kind } from '../../shared/policy/schema.ts'
import { scan, type Member } from '../json/scan.ts'
import { member, slice } from '../mcp/message.ts'
import { rewrite } from '../mcp/rewrite.ts'
import { resultIn, scopeEdit, unreadable } from './listing.ts'

const METHODS: ReadonlySet<string> = new Set(['initialize', 'server/discover'])

/** What each capability is good for; of any other nobody is kept. */
const KINDS: ReadonlyMap<string, readonly Kind[]> = new Map([
  ['tools', ['tools']],
  ['prompts', ['prompts']],
  ['resources', ['resources']],
  ['completions', ['prompts', 'resources']],
])

export const hasCapabilities = (method: string): boolean => METHODS.has(method)

/** A name as latin1 text, which is what messages are. */
const nameText = (name: string): string => Buffer.from(JSON.stringify(name)).toString('latin1')

/** The capabilities that are kept; undefined where all are. */
const keptText = (
  text: string,
  members: readonly Member[],
  mayUseAny: (kind: Kind) => boolean,
): string | undefined => {
  const kept = members.filter(({ name }) => KINDS.get(name)?.some(mayUseAny) ?? true)
  return kept.length === members.length
    ? undefined
    : `{${kept.map((one) => `${nameText(one.name)}:${slice(text, one)}`).join(',')}}`
}

export const filterCapabilities = (
  method: string,
  answer: string,
  mayUseAny: (kind: Kind) => boolean,
): Result<string, string> => {
  const found = resultIn(method, answer)
  if (!found.ok) return found
  const result = found.value
  const place = member(result, 'capabilities')
  if (!result || !place) return ok(answer)
  const part = slice(answer, place)
  const scanned = scan(part, false)
  if (!scanned.ok || scanned.value.kind === 'array') {
    return unreadable(method, 'its capabilities are no object')
  }
  const kept = keptText(part, scanned.value.object.members, mayUseAny)
  const edits = [...scopeEdit(answer, result)]
  if (kept !== undefined) edits.push({ start: place.start, end: place.end, text: kept })
  return ok(edits.length === 0 ? answer : rewrite(answer, edits))
}
