// What a modern server may say of its tools and no legacy client can read: a schema of results that are no objects, and such
// results. Pure.

import { scan, type JsonObject, type Span } from '../json/scan.ts'
import { member, slice, stringAt, type Response } from '../mcp/message.ts'
import { rewrite, type Edit } from '../mcp/rewrite.ts'
import { readAgain } from '../translation/own-text.ts'
import { blanks } from './blanks.ts'

const OUTPUT = 'outputSchema'

const objectIn = (text: string): JsonObject | undefined => {
  const scanned = text.startsWith('{') ? scan(text, false) : undefined
  return scanned?.ok && scanned.value.kind === 'object' ? scanned.value.object : undefined
}

/** Whether a legacy client can read a schema of results: it has to say that these are objects. */
const isOfObjects = (text: string): boolean =>
  stringAt(text, member(objectIn(text), 'type')) === 'object'

const moved = ({ start, end, text }: Edit, by: number): Edit => ({
  start: start + by,
  end: end + by,
  text,
})

const toolEdits = (text: string, place: Span): readonly Edit[] => {
  const tool = slice(text, place)
  const object = objectIn(tool)
  const schema = member(object, OUTPUT)
  if (!object || !schema || isOfObjects(slice(tool, schema))) return []
  const edits = blanks(tool, object, ({ name }) => name === OUTPUT)
  return edits.map((edit) => moved(edit, place.start))
}

/** A list without schemas that would make all of it unreadable. */
export const listedTools = (response: Response): Response => {
  const { text, result } = response
  const tools = member(result?.object, 'tools')
  if (!tools || !text.includes(`"${OUTPUT}"`)) return response
  const scanned = scan(slice(text, tools), false)
  if (!scanned.ok || scanned.value.kind !== 'array') return response
  const places = scanned.value.items.map(({ start, end }) => ({
    start: start + tools.start,
    end: end + tools.start,
  }))
  return {
    ...response,
    text: rewrite(
      text,
      places.flatMap((place) => toolEdits(text, place)),
    ),
  }
}

/** A tool's result, as a member `result` where it is no object. */
export const toolResult = (response: Response): Response => {
  const { text, result } = response
  const place = member(result?.object, 'structuredContent')
  if (!place || text.startsWith('{', place.start)) return response
  const wrapped = `{"result":${slice(text, place)}}`
  const again = readAgain(rewrite(text, [{ start: place.start, end: place.end, text: wrapped }]))
  return again?.kind === 'response' ? again : response
}
